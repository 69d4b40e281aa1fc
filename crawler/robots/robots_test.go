package robots

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dataDir holds public test suites beside the project folder.
const dataDir = "../../../shared/data/crawl"

// suite calls f with each line of a file of the public suites.
func suite(t *testing.T, name string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(filepath.Join(dataDir, name))
	if err != nil {
		t.Skipf("public test suite not present: %v", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		f(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestGoogleCases(t *testing.T) {
	total, passed := 0, 0
	suite(t, "robots-google/google_cases.jsonl", func(line []byte) {
		var c struct {
			Test, Robots, URL string
			Agents            []string
			Allowed           bool
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		total++
		if got := Parse([]byte(c.Robots)).For(c.Agents...).Allowed(c.URL); got != c.Allowed {
			t.Errorf("%s: %q %v %s: got %v, want %v", c.Test, c.Robots, c.Agents, c.URL, got, c.Allowed)
			return
		}
		passed++
	})
	t.Logf("%d of %d cases", passed, total)
}

func TestPathAndEscapeCases(t *testing.T) {
	total := 0
	suite(t, "robots-google/path_escape.jsonl", func(line []byte) {
		var c struct{ Kind, In, Want string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		total++
		f := map[string]func(string) string{"path_params_query": Path, "escape_pattern": escape}[c.Kind]
		if f == nil {
			t.Fatalf("unknown kind %q", c.Kind)
		}
		if got := f(c.In); got != c.Want {
			t.Errorf("%s(%q): got %q, want %q", c.Kind, c.In, got, c.Want)
		}
	})
	t.Logf("%d cases", total)
}

func TestCrawlerCommonsFiles(t *testing.T) {
	type check struct {
		agent string
		delay time.Duration
		allow []string
		deny  []string
	}
	tests := map[string]struct {
		checks   []check
		sitemaps []string
	}{
		"crawl-delay-group-merging.txt": {checks: []check{
			{agent: "mybot", delay: 10 * time.Second, allow: []string{"/", "/login/"}[:1], deny: []string{"/private/x"}},
			{agent: "yourbot", allow: []string{"/"}, deny: []string{"/private/", "/login/"}},
			{agent: "other", delay: 30 * time.Second, allow: []string{"/private/", "/login/"}},
		}},
		"directive-typos-robots.txt": {checks: []check{
			{agent: "bot1", allow: []string{"/"}, deny: []string{"/desallow/", "/dissalow/"}},
			{agent: "bot2", deny: []string{"/useragent/"}},
			{agent: "bot4", deny: []string{"/useragent-no-colon/"}},
		}},
		"dos-line-endings.txt": {checks: []check{{agent: "any", delay: time.Second, allow: []string{"/x"}}}},
		"extension-robots.txt": {
			checks: []check{
				{agent: "mybot", allow: []string{"/", "/secret/"}, deny: []string{"/private/"}},
				{agent: "otherbot", allow: []string{"/private/"}, deny: []string{"/admin/"}},
				{agent: "any", allow: []string{"/admin/"}},
			},
			sitemaps: []string{"/sitemap.xml"},
		},
		"extensions-group-merging.txt": {checks: []check{
			{agent: "mybot", allow: []string{"/"}, deny: []string{"/private/"}},
			{agent: "yourbot", allow: []string{"/"}, deny: []string{"/private/", "/login/"}},
			{agent: "any", allow: []string{"/llms.txt"}, deny: []string{"/", "/x"}},
		}},
		"format-errors-robots.txt": {
			checks: []check{
				{agent: "bot1", deny: []string{"/whitespace-before-colon/", "/no-colon/"}},
				{agent: "bot2", deny: []string{"/no-colon-useragent/"}},
				{agent: "bot3", allow: []string{"/whitespace-before-colon"}, deny: []string{"/"}},
			},
			sitemaps: []string{"/sitemap.xml"},
		},
		"precedence-of-rules.txt": {checks: []check{
			{agent: "testy", allow: []string{"/foo/bar", "/"}, deny: []string{"/foo/ba", "/foo"}},
			{agent: "wget", allow: []string{"/foo", "/index.html"}, deny: []string{"/bar"}},
		}},
		"relative-sitemap-robots.txt": {
			checks:   []check{{agent: "any", allow: []string{"/"}, deny: []string{"/cache/", "/files/x"}}},
			sitemaps: []string{"/sitemap.xml"},
		},
		"rfc9309-example-rule-group-merging.txt": {checks: []check{
			{agent: "ExampleBot", allow: []string{"/"}, deny: []string{"/foo", "/bar", "/baz"}},
			{agent: "BazBot", allow: []string{"/foo"}, deny: []string{"/baz"}},
			{agent: "any", allow: []string{"/baz"}, deny: []string{"/foo", "/bar"}},
		}},
		"rfc9309-example-simple-robots.txt": {checks: []check{
			{agent: "foobot", allow: []string{"/example/page.html", "/example/allowed.gif"}, deny: []string{"/", "/x.gif"}},
			{agent: "barbot", allow: []string{"/x.gif"}, deny: []string{"/example/page.html"}},
			{agent: "bazbot", allow: []string{"/x.gif"}, deny: []string{"/example/page.html"}},
			{agent: "quxbot", allow: []string{"/example/page.html", "/x.gif"}},
			{agent: "any", allow: []string{"/publications/", "/x.gif?a"}, deny: []string{"/a/x.gif", "/example/"}},
		}},
		"robots-with-utf16be-bom.txt": {
			checks: []check{
				{agent: "any", allow: []string{"/"}, deny: []string{"/profile", "/search.aspx"}},
				{agent: "googlebot", deny: []string{"/a/output/print", "/profile"}},
			},
			sitemaps: []string{"http://www.newsweek.com/sitemap_index.xml"},
		},
		"robots-with-utf8-bom.txt": {
			checks:   []check{{agent: "any", allow: []string{"/"}, deny: []string{"/profile", "/search.aspx"}}},
			sitemaps: []string{"http://www.newsweek.com/sitemap_index.xml"},
		},
		"sitemap-robots.txt": {
			checks:   []check{{agent: "any", allow: []string{"/"}}},
			sitemaps: []string{"http://domain.com/sitemap.xml", "http://domain.com/dir/MixedCased-sitemap.xml"},
		},
		"www.flot.com-robots.txt": {
			checks:   []check{{agent: "any", allow: []string{"/"}, deny: []string{"/img/", "/admin/"}}},
			sitemaps: []string{"http://flot.com/sitemap_index.xml"},
		},
	}
	for name, tc := range tests {
		t.Run(strings.TrimSuffix(name, ".txt"), func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(dataDir, "robots-crawlercommons", name))
			if err != nil {
				t.Skipf("public test suite not present: %v", err)
			}
			r := Parse(body)
			for _, c := range tc.checks {
				rules := r.For(c.agent)
				if rules.Delay != c.delay {
					t.Errorf("%s: delay: got %v, want %v", c.agent, rules.Delay, c.delay)
				}
				for _, u := range c.allow {
					if !rules.Allowed(u) {
						t.Errorf("%s: %s: got denied, want allowed", c.agent, u)
					}
				}
				for _, u := range c.deny {
					if rules.Allowed(u) {
						t.Errorf("%s: %s: got allowed, want denied", c.agent, u)
					}
				}
			}
			if diff := cmp.Diff(tc.sitemaps, r.For("any").Sitemaps); diff != "" {
				t.Errorf("sitemaps (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct {
		name, robots, url string
		want              bool
	}{
		{"empty", "", "http://h/x", true},
		{"html-instead", "<html><body>User-agent: *</body></html>", "http://h/x", true},
		{"utf8-bom", "\ufeffUser-agent: *\nDisallow: /", "http://h/x", false},
		{"old-mac-lines", "User-agent: *\rDisallow: /a\rDisallow: /b", "http://h/b", false},
		{"robots-itself", "User-agent: *\nDisallow: /", "http://h/robots.txt", true},
		{"stars-in-a-row", "User-agent: *\nDisallow: /a**b$", "/axxb", false},
		{"star-dollar", "User-agent: *\nDisallow: /a*$", "/anything", false},
		{"anchored-overlap", "User-agent: *\nDisallow: /aa*aa$", "/aaa", true},
		{"query", "User-agent: *\nDisallow: /*?print=", "http://h/a?print=1", false},
		{"query-elsewhere", "User-agent: *\nDisallow: /*?print=", "http://h/a?x=1", true},
		{"chinese-path", "User-agent: *\nDisallow: /芯片/", "http://h/%e8%8a%af%e7%89%87/1", false},
		{"dollar-inside", "User-agent: *\nDisallow: /a$b", "/a$b", false},
		{"named-beats-star", "User-agent: *\nDisallow: /\nUser-agent: Xinwen\nDisallow: /private/", "/x", true},
		{"versioned-agent", "User-agent: xinwen/2.0\nDisallow: /", "/x", false},
		{"empty-agent", "User-agent:\nDisallow: /", "/x", true},
		{"empty-named-group", "User-agent: xinwen\n\nUser-agent: other\nDisallow: /", "/x", false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := Parse([]byte(tc.robots)).For("xinwen").Allowed(tc.url); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestParseReadsNoMoreThanMaxBytes(t *testing.T) {
	head := "User-agent: *\nDisallow: /early/\n"
	body := head + strings.Repeat("# filler line\n", MaxBytes/14) + "\nDisallow: /late/\n"
	rules := Parse([]byte(body)).For("xinwen")
	if rules.Allowed("/early/x") {
		t.Error("/early/x: got allowed, want denied")
	}
	if !rules.Allowed("/late/x") {
		t.Error("/late/x: got denied, want allowed: it comes after the limit")
	}
}

func TestCrawlDelay(t *testing.T) {
	tests := map[string]time.Duration{
		"2": 2 * time.Second, "0.5": 500 * time.Millisecond, "180": 3 * time.Minute,
		"-1": 0, "x": 0, "NaN": 0, "Inf": maxDelay, "1e300": maxDelay,
	}
	for value, want := range tests {
		rules := Parse([]byte("User-agent: *\nCrawl-delay: " + value + "\nDisallow:")).For("xinwen")
		if rules.Delay != want {
			t.Errorf("%s: got %v, want %v", value, rules.Delay, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /a*b$\nCrawl-delay: 3\nSitemap: /s.xml"), "http://h/a?b#c")
	f.Add([]byte("\xfe\xff\x00U\x00s"), "//h;p")
	f.Add([]byte("user-agent foo\rdisallow %zz"), "%e3%83")
	f.Fuzz(func(t *testing.T, body []byte, url string) {
		r := Parse(body)
		rules := r.For("xinwen", "bot")
		rules.Allowed(url)
		if !strings.HasPrefix(Path(url), "/") {
			t.Errorf("Path(%q) = %q: no leading slash", url, Path(url))
		}
		if rules.Delay < 0 || rules.Delay > maxDelay {
			t.Errorf("delay %v out of range", rules.Delay)
		}
		if e := escape(url); escape(e) != e {
			t.Errorf("escape is not idempotent on %q", url)
		}
	})
}

func BenchmarkAllowed(b *testing.B) {
	var s strings.Builder
	s.WriteString("User-agent: *\n")
	for _, p := range []string{"/admin/", "/*.php$", "/search?*q=", "/tag/*/page/", "/wp-*/", "/print/*.html$"} {
		for range 10 {
			s.WriteString("Disallow: " + p + "\n")
		}
	}
	rules := Parse([]byte(s.String())).For("xinwen")
	b.ReportAllocs()
	for b.Loop() {
		rules.Allowed("https://news.example/2025/11/17/tsmc-raises-capex-for-advanced-packaging.html")
	}
}

func BenchmarkParse(b *testing.B) {
	body := []byte(strings.Repeat("User-agent: bot\nDisallow: /a/\nAllow: /a/b\nCrawl-delay: 2\n\n", 40))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(body)
	}
}
