package browser

import (
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"xinwen/crawler"
	"xinwen/deploy/e2e/internal/run"
)

// Somebody opens an empty system, adds a source by its address, and reads its
// first articles.
func TestEmptySystemIsFilledFromTheBrowser(t *testing.T) {
	shared := open(t)
	t.Parallel() // it waits for a polite crawler most of the time
	p := run.Part{Data: filepath.Join(t.TempDir(), "data"), Sources: crawler.NoSources, Resolve: []string{shared.web.Resolve()}}
	address, stop := serve(t.Context(), t, p)
	t.Cleanup(stop)
	d := &desk{base: address, browser: shared.browser, web: shared.web}
	b := d.tab(t, reader{lang: "en", dark: true})
	b.visit("/")
	b.until("the page to explain itself", `document.querySelector("main h1").textContent === "There is nothing here yet"`)
	b.until("the demo to be offered", `[...document.querySelectorAll("main code")].some(e => e.textContent === "xinwen demo")`)
	for _, width := range []int{narrow, wide} {
		b.resize(width)
		b.picture("en-dark-empty-" + map[int]string{narrow: "360", wide: "1440"}[width])
		if axe := axeSource(); axe != "" {
			b.accessible("empty", axe)
		}
		if beyond := value[bool](b, `document.documentElement.scrollWidth > document.documentElement.clientWidth`); beyond {
			t.Errorf("%d: got a page that is too wide: %s", width, b.widest())
		}
	}
	b.follow(func() { b.click("a.act", "Add a source by its address") })
	b.focus("#source-url")
	b.write("www.jingyuan-demo.example")
	b.click(".add-source button", "")
	b.until("its ways in to be found", `document.querySelectorAll("#outcome .way input:checked").length > 0`)
	b.picture("en-dark-found-1440")
	if axe := axeSource(); axe != "" {
		b.accessible("found", axe)
	}
	b.follow(func() { b.click("#outcome button", "") })
	b.until("it to be followed", `document.querySelector(".said")?.textContent.includes("followed")`)
	b.visit("/")
	b.until("its articles to arrive by themselves", `document.querySelectorAll(".hits > li").length > 0`)
}

// An import that is under way is shown with its figures.
func TestImportShowsItsProgress(t *testing.T) {
	d := open(t)
	b := d.tab(t, reader{lang: "en"})
	body, lines := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.base+"/v1/articles?fast=true&import=e2e&name=archive.jsonl&read=300&size=1200", body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(lines, `{"id":"e2e-1","text":"An article of an archive.","lang":"en"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	b.visit("/pipeline")
	b.until("its bar and its figures", `document.querySelector("#work progress")?.value === 300 && document.querySelector("#work").textContent.includes("1 taken · 25 % of the files")`)
	b.picture("en-light-import-1440")
	if axe := axeSource(); axe != "" {
		b.accessible("import", axe)
	}
	b.visit("/")
	b.until("it on the first page, too", `document.querySelector(".live progress")?.value === 300`)
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}
