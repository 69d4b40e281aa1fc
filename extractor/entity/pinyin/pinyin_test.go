package pinyin

import "testing"

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name   string
		taiwan bool
		want   string
	}{
		{"陈岩", false, "Chen Yan"},
		{"王小明", false, "Wang Xiaoming"},
		{"单晓云", false, "Shan Xiaoyun"},
		{"欧阳雪", false, "Ouyang Xue"},
		{"吕绿", false, "Lu Lu"},
		{"简志诚", true, "Chien Chih-cheng"},
		{"谢国雄", true, "Hsieh Kuo-hsiung"},
		{"张庆辉", true, "Chang Ching-hui"},
		{"刘德音", true, "Liu Te-yin"},
		{"蔡力行", true, "Tsai Li-hsing"},
		{"荣子友", true, "Jung Tzu-yu"},
		{"王", false, ""},
		{"王Q", false, ""},
	} {
		if got := Name(c.name, c.taiwan); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func FuzzName(f *testing.F) {
	f.Add("张庆辉", true)
	f.Fuzz(func(t *testing.T, s string, taiwan bool) {
		if n := Name(s, taiwan); n != "" && len(n) < 3 {
			t.Errorf("%q: got %q", s, n)
		}
	})
}
