package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"xinwen/api/internal/memory"
)

func TestTrendsCompareQueries(t *testing.T) {
	x := &memory.Index{}
	for i, title := range []string{"HBM", "HBM DRAM", "NAND"} {
		a := article(string(rune('a'+i)), title, "text", "en", "Latn")
		a.Published = time.Now().AddDate(0, 0, -i)
		x.Add(a)
	}
	h := newUI(t, x)
	body := get(t, h, "/trends?"+url.Values{"c": {"HBM", "DRAM", "HBM", " "}, "days": {"14"}}.Encode()).Body.String()
	for _, want := range []string{
		`<polyline class="line-0" points="0,100 `, `<polyline class="line-1"`, `name="c" type="text" class="line-0" value="HBM"`, `value="DRAM"`, "66.7 %", "33.3 %",
		`<th scope="col" class="num">HBM</th><th scope="col" class="num">DRAM</th>`, `/trends?c=HBM&amp;c=DRAM&amp;days=30`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if n := strings.Count(body, "<polyline"); n != 2 {
		t.Errorf("got %d lines, want 2", n)
	}
	inert(t, body)
	bad := get(t, h, "/trends?c=HBM&c="+url.QueryEscape("台积电)"))
	if bad.Code != http.StatusBadRequest || !strings.Contains(bad.Body.String(), "<code>台积电<mark>)</mark></code>") || !strings.Contains(bad.Body.String(), `value="台积电)"`) {
		t.Errorf("got %d, want the fault at its column and the query to mend", bad.Code)
	}
	x.Err = http.ErrServerClosed
	if w := get(t, h, "/trends?c=HBM"); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d of a broken index, want 500", w.Code)
	}
}

func TestWordsOfADifference(t *testing.T) {
	for _, tc := range []struct{ older, newer, want string }{
		{"one two", "one two", ""},
		{"TSMC raises prices", "TSMC will raise prices", "TSMC [-raises-][+will raise+] prices"},
		{"台积电涨价5%", "台积电涨价8%", "台积电涨价[-5-][+8+]%"},
		{"a\nb\nc\nd", "a\nb\nx\nd", "=2|[-c-][+x+]|=1"},
		{"a\nb", "a\nb\nc", "=2|[+c+]"},
		{"", "new", "[+new+]"},
	} {
		var lines []string
		for _, l := range compareTexts(tc.older, tc.newer) {
			if l.Skipped > 0 {
				lines = append(lines, "="+string(rune('0'+l.Skipped)))
				continue
			}
			s := ""
			for _, c := range l.Changes {
				switch {
				case c.In:
					s += "[+" + c.Text + "+]"
				case c.Out:
					s += "[-" + c.Text + "-]"
				default:
					s += c.Text
				}
			}
			lines = append(lines, s)
		}
		if got := strings.Join(lines, "|"); got != tc.want {
			t.Errorf("%q to %q: got %q, want %q", tc.older, tc.newer, got, tc.want)
		}
	}
}
