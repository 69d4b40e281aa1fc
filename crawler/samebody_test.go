package crawler

import (
	"strings"
	"testing"
)

func TestLettersOfPages(t *testing.T) {
	const page = `<html><head><title>HBM 价格 of 17 November</title><style>a{}</style></head><body class=x><p>The price rises by 4 percent.</p>`
	b := newBodies()
	of := func(body string) (letters, uint64) {
		k, exact, ok := b.of("https://www.news.example/1", []byte(body))
		if !ok {
			t.Fatalf("too few letters in %q", body)
		}
		return k, exact
	}
	loose, strict := of(page)
	for name, tc := range map[string]struct {
		page          string
		loose, strict bool // the same
	}{
		"scripts":    {page + `<SCRIPT>token="abc < def"</SCRIPT><!-- at <b>12:01</b> --><STYLE>b{}</style>`, true, true},
		"attributes": {strings.ReplaceAll(page, "class=x", "class=y data-id=abc"), true, true},
		"digits":     {strings.ReplaceAll(page, "by 4", "by 5"), true, false},
		"letters":    {strings.ReplaceAll(page, "rises", "falls"), false, false},
		"chinese":    {strings.ReplaceAll(page, "价格", "价位"), false, false},
		"open":       {page + `<script>never closed`, true, true},
		"cut":        {page + `<`, true, true},
	} {
		l, s := of(tc.page)
		if (l == loose) != tc.loose || (s == strict) != tc.strict {
			t.Errorf("%s: got letters the same %v, with digits %v; want %v, %v", name, l == loose, s == strict, tc.loose, tc.strict)
		}
	}
	if _, _, ok := b.of("https://news.example/", []byte("<p>short")); ok {
		t.Error("a page of few letters can be told from others")
	}
}

func TestBodiesForgetTheOldest(t *testing.T) {
	b := newBodies()
	for i := range 3 * maxBodies {
		b.seen(letters{"news.example", uint64(i)}, 0, "x")
	}
	if n := len(b.new) + len(b.old); n > maxBodies {
		t.Errorf("got %d bodies, want at most %d", n, maxBodies)
	}
}

func FuzzLetters(f *testing.F) {
	f.Add([]byte("<p>a<!--b-->c<script>d</script>e<"))
	f.Add([]byte("<sc<script"))
	b := newBodies()
	f.Fuzz(func(_ *testing.T, body []byte) { b.of("https://news.example/", body) })
}

func BenchmarkLetters(b *testing.B) {
	page := []byte("<html><body>" + strings.Repeat(`<li class="item"><a href="/2025/11/1.html" title="x">先进封装产能 capacity rises</a><em>11-17</em></li>`, 600))
	all := newBodies()
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		all.of("https://news.example/1", page)
	}
}
