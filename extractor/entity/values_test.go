package entity

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"xinwen/news"
)

// valueCase is a line of testdata/values.tsv.
type valueCase struct {
	script, text string
	date         time.Time
	spans        [][2]int // code points
	want         []string // "-" is not judged
}

func valueCases(t *testing.T) []valueCase {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "values.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []valueCase
	for sc := bufio.NewScanner(f); sc.Scan(); {
		line := sc.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		c := strings.Split(line, "\t")
		if len(c) != 4 {
			t.Fatalf("%q: got %d columns, want 4", line, len(c))
		}
		v := valueCase{script: c[0]}
		if v.date, err = time.Parse(time.DateOnly, c[1]); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range c[2] {
			at := utf8.RuneCountInString(b.String())
			switch r {
			case '[':
				v.spans = append(v.spans, [2]int{at, at})
			case ']':
				v.spans[len(v.spans)-1][1] = at
			default:
				b.WriteRune(r)
			}
		}
		v.text = b.String()
		if c[3] != "" {
			v.want = strings.Split(c[3], " | ")
		}
		if len(v.want) != len(v.spans) {
			t.Fatalf("%q: %d expressions, %d values", line, len(v.spans), len(v.want))
		}
		out = append(out, v)
	}
	return out
}

// TestValuesOfAmountsAndDates holds the share of right values in our own table.
func TestValuesOfAmountsAndDates(t *testing.T) {
	type count struct{ right, all int }
	counts := map[string]*count{"hans": {}, "hant": {}, "en": {}, "all": {}}
	extra := 0
	var g *Gazetteer
	for _, c := range valueCases(t) {
		ctx := Context{Lang: "zh", Date: c.date, Hant: c.script == "hant"}
		if c.script == "en" {
			ctx.Lang = "en"
		}
		var ms []news.Mention
		for _, m := range g.Annotate(c.text, ctx) {
			if m.Kind == news.Money || m.Kind == news.Percent || m.Kind == news.Date {
				ms = append(ms, m)
			}
		}
		judged := make([]bool, len(ms))
		for i, s := range c.spans {
			got := "nothing"
			for k, m := range ms {
				if m.Start < s[1] && s[0] < m.End {
					if judged[k] = true; got == "nothing" {
						got = m.Value
					}
				}
			}
			if c.want[i] == "-" {
				continue
			}
			for _, key := range [...]string{c.script, "all"} {
				counts[key].all++
				if got == c.want[i] {
					counts[key].right++
				}
			}
			if got != c.want[i] {
				t.Logf("%s: %s: got %s, want %s", c.text, string([]rune(c.text)[s[0]:s[1]]), got, c.want[i])
			}
		}
		for k, m := range ms {
			if !judged[k] {
				extra++
				t.Logf("%s: %s is no amount or date", c.text, m.Surface)
			}
		}
	}
	for key, c := range counts {
		t.Logf("%s: %d of %d values right", key, c.right, c.all)
		if float64(c.right) < 0.98*float64(c.all) {
			t.Errorf("%s: got %d of %d values right, want 98 %%", key, c.right, c.all)
		}
	}
	if extra > 4 {
		t.Errorf("got %d mentions that are none, want at most 4", extra)
	}
}
