package entity

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

func TestUnknownNamesAreFound(t *testing.T) {
	g := New(testLexicon(t))
	for _, c := range []struct {
		name, text string
		want       []string // surface=kind
	}{
		{"full-name", "日前，苏州澜溪苇半导体科技有限公司宣布融资。澜溪苇的客户", []string{"苏州澜溪苇半导体科技有限公司=org", "澜溪苇=org"}},
		{"legal-form", "星穹河半导体股份有限公司；星穹河半导体公司", []string{"星穹河半导体股份有限公司=org", "星穹河半导体公司=org"}},
		{"legal-form-en", "Quxing Quantum, Inc. and Quxing Quantum Corp.", []string{"Quxing Quantum, Inc.=org", "Quxing Quantum Corp.=org"}},
		{"short", "苇澜证券认为，功率半导体和新科技", []string{"苇澜证券=org"}},
		{"weak-short-needs-a-deed", "傑澜通信表示，某某通信業", []string{"傑澜通信=org"}},
		{"agency", "广东省发改委的文件", []string{"广东省发改委=org"}},
		{"ticker", "澜沁苇(688999.SH)上涨", []string{"澜沁苇=org"}},
		{"company-en", "A deal with Qorvane Devices Ltd. and Bank of Velmora fell.", []string{"Qorvane Devices Ltd.=org", "Bank of Velmora=org"}},
		{"person-title", "董事長簡澜誠13日表示，簡澜誠強調", []string{"簡澜誠=person", "簡澜誠=person"}},
		{"title-without-name", "魏教授强调，总经理表示", nil},
		{"person-dot", "迪米特·瓦洛夫表示满意", []string{"迪米特·瓦洛夫=person"}},
		{"person-en", "Irina Velmoran, an analyst, agreed. Velmoran said no.", []string{"Irina Velmoran=person", "Velmoran=person"}},
		{"pair", "星穹河半导体（Starvault River）扩产，Starvault River 称", []string{"星穹河半导体=org", "Starvault River=org", "Starvault River=org"}},
		{"initials", "The Velmoran Contagion Research Institute (VCRI) said. VCRI agreed.", []string{"Velmoran Contagion Research Institute=org", "VCRI=org", "VCRI=org"}},
		{"university-of-a-place", "广东大学与苏州科技大学的学生；中国大学的排名", []string{"广东大学=org", "苏州科技大学=org"}},
		{"ministry", "A Ministry of International Trade and Industry official", []string{"Ministry of International Trade and Industry=org"}},
		{"bridge", "On Monday, Velmo Bridge opened to traffic, Alan Velmoran said.", []string{"Alan Velmoran=person"}},
		{"addresses", "见 https://www.quxingquantum.com/zelvora-ltd/2025-11-17 或写信给 press@quxing-quantum.com, %e9%96%af%e5。", nil},
		{"marks", "Qzblade™ 7000 与 Quxing™ Quantum", []string{"Qzblade™ 7000=product", "Quxing™ Quantum=org"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range g.Annotate(c.text, Context{Lang: "zh"}) {
				if m.Kind == news.Org || m.Kind == news.Person || m.Kind == news.Product || m.Kind == news.Percent {
					got = append(got, m.Surface+"="+string(m.Kind))
				}
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("mentions differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestProvisionalIsTheSameInAllScripts(t *testing.T) {
	want := Provisional(news.Org, "澜溪苇半导体")
	for _, s := range []string{"瀾溪葦半導體", "澜溪苇 半导体", "澜溪苇半导体有限公司", "瀾溪葦半導體股份有限公司"} {
		if got := Provisional(news.Org, s); got != want {
			t.Errorf("%s: got %s, want %s", s, got, want)
		}
	}
}

func TestAnnotateIsDeterministicAndConcurrent(t *testing.T) {
	g := New(testLexicon(t))
	text := strings.Repeat("董事長簡澜誠13日表示，澜溪苇半导体科技有限公司与澜溪苇(688999.SH)。Irina Velmoran said. Velmoran, Qorvane Devices Ltd. 中美。", 3)
	want := g.Annotate(text, Context{Lang: "zh"})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if diff := cmp.Diff(g.Annotate(text, Context{Lang: "zh"}), want); diff != "" {
					t.Errorf("mentions differ (-got +want):\n%s", diff)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestSpellingsNameOnePerson(t *testing.T) {
	g := New(testLexicon(t))
	for _, c := range []struct{ name, text, surface, english string }{
		{"brackets", "星穹河半导体董事长乔穆岩（Joe Muyan）表示，需求很大。Joe Muyan说，价格不变。", "乔穆岩", "Joe Muyan"},
		{"apart", "星穹河半导体董事长乔穆岩表示，需求很大。另据英文稿：Qiao Muyan said so on Monday.", "乔穆岩", "Qiao Muyan"},
		{"pinyin", "星穹河半导体董事长乔穆岩表示，需求很大。", "乔穆岩", "Qiao Muyan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entities, names := make(map[string]bool), make(map[string]bool)
			n := 0
			for _, m := range g.Annotate(c.text, Context{Lang: "zh"}) {
				if m.Kind == news.Person {
					n++
					entities[m.Entity], names[m.Name] = true, true
				}
			}
			if len(entities) != 1 || !names[c.english] || len(names) != 1 || n != strings.Count(c.text, "乔穆岩")+strings.Count(c.text, "uyan") {
				t.Errorf("got %d mentions, entities %v, names %v, want one person named %q", n, entities, names, c.english)
			}
		})
	}
}

func TestPartsOfInstitutionsHaveNames(t *testing.T) {
	g := New(testLexicon(t))
	for text, want := range map[string]string{
		"他毕业于清华大学微电子所，后来创业。":                       "Tsinghua University Institute of Microelectronics",
		"广东省发改委昨天公布了计划。":                           "Guangdong Development and Reform Commission",
		"Zelvora & Durnham Ltd. said so.":          "Zelvora & Durnham",
		"Shares of Zelvora Semiconductor Inc rose": "Zelvora Semiconductor",
	} {
		found := false
		for _, m := range g.Annotate(text, Context{Lang: "zh"}) {
			found = found || m.Kind == news.Org && m.Name == want
		}
		if !found {
			t.Errorf("%s: got %+v, want %q", text, g.Annotate(text, Context{Lang: "zh"}), want)
		}
	}
}
