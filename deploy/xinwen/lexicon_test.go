package main

import (
	"strings"
	"testing"
)

const exported = `{"id":"a","title":"快讯","text":"澜溪苇宣布融资","source":"x","mentions":[{"start":3,"end":6,"surface":"澜溪苇","kind":"org","entity":"org:unknown-1","score":0.6}]}
{"id":"b","title":"快讯","text":"澜溪苇与乔穆岩","source":"y","mentions":[{"start":3,"end":6,"surface":"澜溪苇","kind":"org","entity":"org:unknown-1","score":0.6},{"start":7,"end":10,"surface":"乔穆岩","kind":"person","entity":"person:unknown-2","name":"Qiao Muyan","score":0.6}]}
`

func TestLexiconSuggest(t *testing.T) {
	for _, c := range []struct {
		name       string
		cmd        suggestCmd
		in         string
		want, none string
		fails      bool
	}{
		{"table", suggestCmd{Least: 2, Limit: 10}, exported + `{"manifest":{"count":2,"complete":true}}`, "2         2         2        org   澜溪苇", "乔穆岩  ", false},
		{"yaml", suggestCmd{Least: 1, Limit: 10, Kind: "person", YAML: true}, exported + `{"manifest":{"count":2,"complete":true}}`, `- {id: person:qiao-muyan, en: "Qiao Muyan", zh_hans: "乔穆岩"}`, "id: org:", false},
		{"cut", suggestCmd{Least: 1, Limit: 10}, exported, "", "", true},
		{"incomplete", suggestCmd{Least: 1, Limit: 10}, exported + `{"manifest":{"count":2,"complete":false}}`, "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			err := c.cmd.suggest(strings.NewReader(c.in), &b)
			if (err != nil) != c.fails {
				t.Fatalf("got error %v, want one: %v", err, c.fails)
			}
			if got := b.String(); !strings.Contains(got, c.want) || c.none != "" && strings.Contains(got, c.none) {
				t.Errorf("got %q, want %q in it and not %q", got, c.want, c.none)
			}
		})
	}
}
