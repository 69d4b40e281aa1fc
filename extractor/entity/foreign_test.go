package entity

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

// persons are the surfaces of the persons in a text.
func persons(g *Gazetteer, text string) []string {
	var out []string
	for _, m := range g.Annotate(text, Context{}) {
		if m.Kind == news.Person {
			out = append(out, m.Surface)
		}
	}
	return out
}

func TestForeignNamesAreWhole(t *testing.T) {
	g := builtin(t)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"two-parts", "昨天蒂莫·哈拉宁表示同意", []string{"蒂莫·哈拉宁"}},
		{"five-parts", "国王哈立德·本·阿卜杜勒马吉德·本·法赫德到访", []string{"哈立德·本·阿卜杜勒马吉德·本·法赫德"}},
		{"long-first-part", "工程师亚历山德里诺斯·帕帕多斯指出", []string{"亚历山德里诺斯·帕帕多斯"}},
		{"hyphen", "主席让-马蒂厄·特里昂说，让–皮埃尔·莫兰说好", []string{"让-马蒂厄·特里昂", "让–皮埃尔·莫兰"}},
		{"hyphen-behind", "总理塔耶·阿茨克-塞拉西出席", []string{"塔耶·阿茨克-塞拉西"}},
		{"initial", "创始人埃隆德·F·凯尔曼和M·K·罗兰丁出席", []string{"埃隆德·F·凯尔曼", "M·K·罗兰丁"}},
		{"initial-with-full-stop", "高管唐纳文·J.特里普指出，T.D. 万特斯也在", []string{"唐纳文·J.特里普", "T.D. 万特斯"}},
		{"hant-dots", "執行長阿卜杜拉‧薩瓦迪、普拉特詹．辛迪與蘇布拉馬・桑德里", []string{"阿卜杜拉‧薩瓦迪", "普拉特詹．辛迪", "蘇布拉馬・桑德里"}},
		{"unusual-character-inside", "议长汤姆斯·勃兰契特·瑞德森的任期", []string{"汤姆斯·勃兰契特·瑞德森"}},
		{"number-behind-name", "国王查尔顿·蒙特二世到访", []string{"查尔顿·蒙特二世"}},
		{"place-in-last-part", "大使哈桑·阿勒沙特到访", []string{"哈桑·阿勒沙特"}},
		{"company-before", "英特尔帕特里·格辛说", []string{"帕特里·格辛"}},
		{"title-before", "主席卢卡·费里尼，股东约翰尼·马丁斯", []string{"卢卡·费里尼", "约翰尼·马丁斯"}},
		{"date-behind", "阿米尔·汗德尔今年离任", []string{"阿米尔·汗德尔"}},
		{"word-behind", "总理贾比尔·穆萨法提交方案", []string{"贾比尔·穆萨法"}},
		{"last-part-alone", "阿米尔·本·汗德尔到访。汗德尔离开。", []string{"阿米尔·本·汗德尔", "汗德尔"}},
		{"middle-left-out", "格奥尔格·W·布兰德到访。格奥尔格·布兰德离开。", []string{"格奥尔格·W·布兰德", "格奥尔格·布兰德"}},
		{"ship", "“卡尔·文特森”号到港", nil},
		{"companies", "英特尔·特斯拉合作，英特尔.特斯拉", nil},
		{"dot-of-a-title", "嘉年华·天津专场", nil},
		{"full-stop-of-a-sentence", "方法.另一种方法.再说", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(persons(g, c.text), c.want); diff != "" {
				t.Errorf("persons differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestForeignNameIsOnePerson(t *testing.T) {
	g := builtin(t)
	ids := make(map[string]bool)
	for _, m := range g.Annotate("格奥尔格·W·布兰德到访。格奥尔格·布兰德离开。布兰德說，格奧爾格‧布蘭德走了。", Context{}) {
		ids[m.Entity] = true
	}
	if len(ids) != 1 {
		t.Errorf("got %d persons, want 1: %v", len(ids), ids)
	}
}

func TestEnglishNamesWithParticlesAreWhole(t *testing.T) {
	g := builtin(t)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"arabic", "Omar Rahman bin Fahd Al-Saadi, chief executive of the fund, agreed.", []string{"Omar Rahman bin Fahd Al-Saadi"}},
		{"two-particles", "Analyst Pieter van der Hoeven said so.", []string{"Pieter van der Hoeven"}},
		{"and-parts-two", "Peter Hoeven and Maria Kelsen said so.", []string{"Peter Hoeven", "Maria Kelsen"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(persons(g, c.text), c.want); diff != "" {
				t.Errorf("persons differ (-got +want):\n%s", diff)
			}
		})
	}
}
