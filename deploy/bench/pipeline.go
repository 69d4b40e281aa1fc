package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"xinwen/deploy/simweb"
)

// pipelineSites is how many sites share the pages that pipeline crawls: real texts
// in pages of our own making.
const pipelineSites = 30

// pipeline crawls a web of saved pages on loopback until all are searchable:
// half Simplified Chinese in GBK, a quarter Traditional, a quarter English.
func pipeline(ctx context.Context) error {
	flags := flag.NewFlagSet("pipeline", flag.ExitOnError)
	pages := flags.Int("pages", 3000, "pages of the web")
	_ = flags.Parse(os.Args[2:]) // it ends the process itself
	p, err := build(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = p.remove() }() // a folder below the temporary one
	folder := filepath.Join(p.dir, "web")
	size, err := writePages(folder, *pages)
	if err != nil {
		return err
	}
	web, err := simweb.New(simweb.Options{NoDemo: true, Folder: folder})
	if err != nil {
		return err
	}
	if err := web.Start(ctx); err != nil {
		return err
	}
	defer web.Close()
	sources := filepath.Join(p.dir, "sources.yaml")
	if err := os.WriteFile(sources, []byte(web.SourcesFor(simweb.SourceOptions{Delay: time.Millisecond})), 0o644); err != nil {
		return err
	}
	started := time.Now()
	x, _, err := p.start(ctx, "crawl", "--data", filepath.Join(p.dir, "data"), "--source", sources, "--resolve", "*="+web.Addr())
	if err != nil {
		return err
	}
	docs, err := x.settle(ctx, uint64(*pages))
	took := time.Since(started).Seconds()
	cpu, cpuErr := x.cpu()
	memory, memErr := x.memory()
	if err := errors.Join(err, cpuErr, memErr, x.stop()); err != nil {
		return err
	}
	figure("pages served", float64(len(web.Log().Requests())), "requests", "")
	figure("articles searchable", float64(docs), fmt.Sprintf("of %d", *pages), "")
	versus("whole pipeline", float64(docs)/took, "articles/s", "≥ 50, aim 100", "Media Cloud's inflow=5.8")
	figure("processor time an article", 1000*cpu/float64(docs), "ms", "")
	figure("articles that two cores to themselves would take, reckoned from that", 2*float64(docs)/cpu, "articles/s", "")
	figure("page bytes", float64(size)/1e6/took, "MB/s", "")
	figure("memory at its highest", memory.highest/(1<<20), "MiB", "")
	return nil
}

// settle waits until all pages are searchable, or nothing has changed for 20 s.
func (r *process) settle(ctx context.Context, pages uint64) (uint64, error) {
	var last uint64
	changed := time.Now()
	for ctx.Err() == nil {
		var s struct{ Index struct{ Docs uint64 } }
		resp, err := http.Get("http://" + r.addr + "/v1/status")
		if err != nil {
			return last, err
		}
		err = json.NewDecoder(resp.Body).Decode(&s)
		resp.Body.Close()
		if err != nil {
			return last, err
		}
		if s.Index.Docs != last {
			last, changed = s.Index.Docs, time.Now()
		}
		if last >= pages || time.Since(changed) > 20*time.Second {
			return last, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return last, ctx.Err()
}

// writePages fills a folder with count saved pages and returns their size in
// bytes.
func writePages(dir string, count int) (int, error) {
	if err := os.MkdirAll(filepath.Join(dir, "pages"), 0o755); err != nil {
		return 0, err
	}
	var texts [3][]string
	for i, name := range []string{"news-zh-hans.jsonl.gz", "news-zh-hant.jsonl.gz", "news-en.jsonl.gz"} {
		list, err := corpus(name, 12<<20)
		if err != nil {
			return 0, err
		}
		texts[i] = list
	}
	type entry struct {
		ID       string `json:"id"`
		Lang     string `json:"lang"`
		Encoding string `json:"encoding"`
		Declared string `json:"declared_charset"`
		Site     string `json:"site"`
		Title    string `json:"title"`
		File     string `json:"file"`
	}
	var index []entry
	size := 0
	for i := range count {
		site := i % pipelineSites
		kind := [4]int{0, 1, 0, 2}[site%4]
		text := texts[kind][i%len(texts[kind])]
		title, _, _ := strings.Cut(text, "\n")
		title = clip(strings.TrimSpace(title), 40)
		e := entry{
			ID: fmt.Sprintf("p%05d", i), Lang: [3]string{"zh-Hans", "zh-Hant", "en"}[kind], Site: fmt.Sprintf("site%02d", site),
			Title: title, File: fmt.Sprintf("pages/p%05d.html", i), Encoding: "utf-8", Declared: "utf-8",
		}
		body := []byte(page(title, text, i, "utf-8"))
		if kind == 0 {
			if gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(page(title, text, i, "gb2312"))); err == nil {
				body, e.Encoding, e.Declared = gbk, "gb18030", "gb2312"
			}
		}
		size += len(body)
		if err := os.WriteFile(filepath.Join(dir, e.File), body, 0o644); err != nil {
			return 0, err
		}
		index = append(index, e)
	}
	data, err := json.Marshal(index)
	if err != nil {
		return 0, err
	}
	return size, os.WriteFile(filepath.Join(dir, "index.json"), data, 0o644)
}

// page wraps a text in what news sites wrap round theirs.
func page(title, text string, n int, charset string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!DOCTYPE html><html><head><meta charset=%q><title>%s</title><style>%s</style></head><body><ul class=nav>", charset, html.EscapeString(title), strings.Repeat(".c{margin:0;padding:1px}", 200))
	for i := range 60 {
		fmt.Fprintf(&b, "<li><a href=/channel/%d/>Channel %d</a></li>", i, i)
	}
	fmt.Fprintf(&b, "</ul><div class=main><h1>%s</h1><div class=info>2026-%02d-%02d %02d:%02d</div><div class=content>", html.EscapeString(title), 1+n%10, 1+n%28, n%24, n%60)
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(line))
		}
	}
	b.WriteString("</div></div><div class=side><h3>More</h3><ul>")
	for i := range 80 {
		fmt.Fprintf(&b, "<li><a href=/news/%d.html>Another headline of the day, number %d</a></li>", i, i)
	}
	fmt.Fprintf(&b, "</ul></div><script>%s</script></body></html>", strings.Repeat("var x=function(){return 1};", 300))
	return b.String()
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
