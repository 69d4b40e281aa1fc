package sketch

import "testing"

func TestNear(t *testing.T) {
	const (
		hans = "中芯国际第三季度营收同比增长百分之九\n中芯国际周四公布的业绩显示，第三季度营收同比增长，产能利用率升至九成以上。"
		hant = "中芯國際第三季度營收同比增長百分之九\n中芯國際週四公佈的業績顯示，第三季度營收同比增長，產能利用率升至九成以上。"
	)
	for _, tc := range []struct {
		name string
		a, b [2]string
		want bool
	}{
		{"same", [2]string{"台积电上调报价", hans}, [2]string{"台积电上调报价", hans}, true},
		{"scripts", [2]string{"", hans}, [2]string{"", hant}, true},
		{"other_headline", [2]string{"快讯", hans}, [2]string{"中芯三季报", hans}, true},
		{"same_headline_only", [2]string{"每日芯闻", hans}, [2]string{"每日芯闻", "长江存储宣布新一代闪存量产，层数达到二百九十四层，接口速率提升两成，样品已送交客户验证。"}, false},
		{"other", [2]string{"台积电上调报价", "晶圆代工厂台积电通知客户明年起上调先进制程报价。"}, [2]string{"三星推出新内存", "三星电子发布第六代高带宽内存样品，良率仍待提高。"}, false},
		{"too_short", [2]string{"快讯", ""}, [2]string{"快讯", ""}, false},
		{"empty", [2]string{}, [2]string{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := Of(tc.a[0], tc.a[1]), Of(tc.b[0], tc.b[1])
			if got := Near(a, b); got != tc.want {
				t.Errorf("got %t, want %t (similarity %.2f)", got, tc.want, Similarity(a, b))
			}
			if Similarity(a, b) != Similarity(b, a) {
				t.Errorf("got similarity %v one way, %v the other, want the same", Similarity(a, b), Similarity(b, a))
			}
		})
	}
}

func TestSketchIsSmall(t *testing.T) {
	s := Of("a long title of an article about wafers", "and a text that goes on and on, about this fab and that one, "+
		"so that there are many more runs of letters in it than a sketch has room for, which is what this is about")
	if len(s) > 256 {
		t.Errorf("got %d bytes, want at most 256", len(s))
	}
}

func FuzzSimilarity(f *testing.F) {
	f.Add(Of("台积电上调报价", "晶圆代工厂台积电通知客户"), "AAAA")
	f.Add("", "!")
	f.Fuzz(func(t *testing.T, a, b string) {
		if s := Similarity(a, b); s < 0 || s > 1 {
			t.Errorf("got %v, want 0 to 1", s)
		}
		if s := Of(a, b); s != "" && !Near(s, s) {
			t.Errorf("got a sketch that is not near itself: %q", s)
		}
	})
}

func TestMemoryKnowsRepeats(t *testing.T) {
	text := "晶圆代工厂台积电通知客户明年起上调先进制程报价，幅度约百分之五到十。"
	s := Of("台积电上调报价", text)
	other := Of("三星推出新内存", "三星电子发布第六代高带宽内存样品，良率仍待提高，预计明年量产。")
	hour := int64(3600)
	var m Memory
	for _, step := range []struct {
		name string
		told Told
		want string // article that it repeats
	}{
		{"new", Told{"a", "", s, 0}, ""},
		{"itself", Told{"a", "", s, hour}, ""},
		{"copy", Told{"b", "", s, hour}, "a"},
		{"other", Told{"c", "", other, hour}, ""},
		{"story", Told{"d", "s1", other, hour}, "c"},
		{"new_story", Told{"e", "s2", "", hour}, ""},
		{"same_story", Told{"f", "s2", s, 2 * hour}, "a"}, // a has no story yet
		{"too_late", Told{"g", "", s, 100 * hour}, ""},
	} {
		got, ok := m.Find(step.told)
		if got.Article != step.want || ok != (step.want != "") {
			t.Errorf("%s: got %q, want %q", step.name, got.Article, step.want)
		}
		if !ok {
			m.Add(step.told)
		}
	}
	for i := range 10 * MaxTold {
		m.Add(Told{string(rune('A' + i)), "", s, 200 * hour})
	}
	if len(m.Told) != MaxTold {
		t.Errorf("got %d remembered, want %d", len(m.Told), MaxTold)
	}
}
