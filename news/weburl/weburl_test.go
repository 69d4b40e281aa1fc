package weburl_test

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"xinwen/news/weburl"
)

func TestCanonical(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "https://www.example.com/news/a-1_2.html", "https://www.example.com/news/a-1_2.html"},
		{"front", "https://example.com", "https://example.com/"},
		{"case-and-port", "HTTPS://Example.COM:443/A", "https://example.com/A"},
		{"other-port", "http://example.com:8080/a", "http://example.com:8080/a"},
		{"trailing-dot-host", "http://example.com./a", "http://example.com/a"},
		{"chinese-host", "https://新闻.中国/a", "https://xn--efvy88h.xn--fiqs8s/a"},
		{"chinese-path", "https://example.com/芯片/涨价", "https://example.com/%E8%8A%AF%E7%89%87/%E6%B6%A8%E4%BB%B7"},
		{"dot-segments", "https://example.com/a/./b/../c", "https://example.com/a/c"},
		{"escaped-dots", "https://example.com/a/%2e%2e/c", "https://example.com/c"},
		{"doubled-slashes", "https://example.com//a///b", "https://example.com/a/b"},
		{"backslashes", `https:\\example.com\a`, "https://example.com/a"},
		{"needless-escapes", "https://example.com/%61%2d%7e%c3%a9", "https://example.com/a-~%C3%A9"},
		{"fragment", "https://example.com/a#comments", "https://example.com/a"},
		{"credentials", "https://user:secret@example.com/a", "https://example.com/a"},
		{"spaces-around", " \n https://example.com/a \t", "https://example.com/a"},
		{"utm", "https://example.com/a?utm_source=rss&id=7&utm_medium=feed", "https://example.com/a?id=7"},
		{"only-tracking", "https://example.com/a?spm=1.2&fbclid=x", "https://example.com/a"},
		{"share-channel", "https://example.com/a?from=timeline&isappinstalled=0", "https://example.com/a"},
		{"from-that-matters", "https://example.com/a?from=2025", "https://example.com/a?from=2025"},
		{"wechat", "https://mp.weixin.qq.com/s?__biz=Mz&mid=22&idx=1&sn=ab&chksm=ff&scene=21", "https://mp.weixin.qq.com/s?__biz=Mz&idx=1&mid=22&scene=21&sn=ab"},
		{"order", "https://example.com/a?b=2&a=1", "https://example.com/a?a=1&b=2"},
		{"repeated-keeps-order", "https://example.com/a?x=2&x=1", "https://example.com/a?x=2&x=1"},
		{"hex-address", "http://0x7f.1/", "http://127.0.0.1/"},
		{"ipv6", "http://[::1]:80/", "http://[::1]/"},
		{"import", "urn:import:42", "urn:import:42"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := weburl.Canonical(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("Canonical(%q): got %q, %v, want %q", tt.in, got, err, tt.want)
			}
			if again, err := weburl.Canonical(got); err != nil || again != got {
				t.Errorf("Canonical(%q): got %q, %v, want it unchanged", got, again, err)
			}
		})
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, in := range []string{"", "/relative", "mailto:a@example.com", "javascript:void(0)", "ftp://example.com/a", "urn:import:", "http://", "https://exa mple.com/", "https://example.com/" + strings.Repeat("a", 9000)} {
		if got, err := weburl.Canonical(in); err == nil {
			t.Errorf("Canonical(%q): got %q, want an error", in, got)
		}
	}
	if _, err := weburl.Canonical("ftp://example.com/a"); !errors.Is(err, weburl.ErrNotWeb) {
		t.Errorf("got %v, want ErrNotWeb", err)
	}
}

func TestSamePage(t *testing.T) {
	const page = "https://m.example.com.cn/news/1.html"
	tests := []struct {
		name, page, candidate, want string
	}{
		{"mobile-to-desktop", page, "https://www.example.com.cn/news/1.html", "https://www.example.com.cn/news/1.html"},
		{"relative", page, "/news/1.html?utm_source=x", page},
		{"protocol-relative", page, "//www.example.com.cn/news/1.html", "https://www.example.com.cn/news/1.html"},
		{"front-page", page, "https://www.example.com.cn/", ""},
		{"front-page-file", page, "/index.html", ""},
		{"other-site", page, "https://other.com.cn/news/1.html", ""},
		{"empty", page, " ", ""},
		{"not-web", page, "javascript:;", ""},
		{"front-of-front", "https://example.com/", "https://www.example.com/", "https://www.example.com/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := weburl.SamePage(tt.page, tt.candidate)
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.want)
			}
		})
	}
}

func TestRegistrableDomain(t *testing.T) {
	for in, want := range map[string]string{
		"news.example.com.cn": "example.com.cn", "example.com": "example.com", "WWW.Example.tw:8080": "example.tw",
		"127.0.0.1:80": "127.0.0.1", "[::1]:80": "::1", "localhost": "localhost", "com": "com",
	} {
		if got := weburl.RegistrableDomain(in); got != want {
			t.Errorf("RegistrableDomain(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestIDIsStable(t *testing.T) {
	a, b := weburl.ID("https://example.com/a"), weburl.ID("http://example.com/a")
	if a != b || a != "fxhautcqiqn7zt5jzl2lldb4" {
		t.Errorf("got %q and %q", a, b)
	}
	if a == weburl.ID("https://example.com/b") {
		t.Error("different pages have the same ID")
	}
}

// TestCrawlerCommons runs the normalisation cases of crawler-commons that
// concern the web.
func TestCrawlerCommons(t *testing.T) {
	f, err := os.Open("../../../shared/data/crawl/url-crawlercommons/normalizer/weirdToNormalizedUrls.csv")
	if err != nil {
		t.Skip("no crawler-commons cases beside the project")
	}
	defer f.Close()
	pass, all := 0, 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") || !strings.HasPrefix(strings.TrimLeft(line, `" `), "http") && !strings.HasPrefix(line, "HTTP") {
			continue
		}
		r := csv.NewReader(strings.NewReader(line))
		r.TrimLeadingSpace = true
		fields, err := r.Read()
		if err != nil || len(fields) != 2 || !strings.Contains(strings.TrimSpace(fields[1]), "://") {
			continue
		}
		all++
		got, err := weburl.Canonical(fields[0])
		if want := strings.TrimSpace(fields[1]); got == want {
			pass++
		} else {
			t.Logf("Canonical(%q): got %q, %v, want %q", fields[0], got, err, want)
		}
	}
	t.Logf("%d of %d", pass, all)
	if pass < all {
		t.Errorf("got %d of %d, want all", pass, all)
	}
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"https://example.com/%2e%2e//a?b&a=%5b#x", "http://[::1]:80", "https://a.b/%25%32%65%2f.%2f", "urn:import:1", "http:\\\\x\t.y/.//../?=&&a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := weburl.Canonical(s)
		if err != nil {
			return
		}
		if again, err := weburl.Canonical(got); err != nil || again != got {
			t.Fatalf("Canonical(%q) is %q, whose canonical form is %q, %v", s, got, again, err)
		}
	})
}

func BenchmarkCanonical(b *testing.B) {
	for name, url := range map[string]string{
		"plain": "https://www.example.com/article/202511/17-chips.html",
		"query": "https://www.example.com/article?id=77&utm_source=rss",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := weburl.Canonical(url); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleCanonical() {
	url, _ := weburl.Canonical("HTTP://News.Example.com:80/a/../芯片.html?utm_source=rss&id=7#top")
	fmt.Println(url)
	// Output: http://news.example.com/%E8%8A%AF%E7%89%87.html?id=7
}
