package extractor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/extractor/memory"
	"xinwen/news"
	"xinwen/news/weburl"
)

// learned returns what a page adds to the memory of its host.
func learned(p *news.Page, a *news.Article, d *dom.Document, body *boilerplate.Body, keys []uint64) memory.Page {
	id := p.ID
	if p.Parent != "" {
		id = p.Parent // the parts of an article are one page
	}
	out := memory.Page{ID: memory.Key(id, "page"), Title: a.Title}
	own := make([]bool, len(d.Blocks))
	for _, list := range [...][]int{body.Blocks, body.Repeated} {
		for _, i := range list {
			own[i] = true
		}
	}
	for i, k := range keys {
		if k != 0 && !d.Blocks[i].Hidden {
			out.Blocks = append(out.Blocks, memory.Block{Key: k, Units: d.Blocks[i].Units, Body: own[i]})
		}
	}
	return out
}

// reading returns what Extract reads a page with: the memory that was given.
func (x *Extractor) reading(p *news.Page) *reading {
	r := &reading{}
	if v := x.given[weburl.Host(p.URL)]; v != nil {
		r.memory, r.remember = v, true
	}
	return r
}

// views freezes the memory of hosts.
func views(hosts map[string]*memory.Host) map[string]*memory.View {
	out := make(map[string]*memory.View, len(hosts))
	for name, h := range hosts {
		out[name] = h.View()
	}
	return out
}

// ReadMemory reads the memory of hosts, one JSON object a line, as the bucket
// "memory" has them and WriteMemory writes them.
func ReadMemory(r io.Reader) (map[string]*memory.Host, error) {
	out := make(map[string]*memory.Host)
	for dec := json.NewDecoder(r); ; {
		var raw json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("memory: %w", err)
		}
		h, err := memory.Parse(raw)
		if err != nil {
			return nil, err
		}
		out[h.Name()] = h
	}
}

// WriteMemory writes the memory of hosts in order of their names.
func WriteMemory(w io.Writer, hosts map[string]*memory.Host) error {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		if err := json.NewEncoder(&b).Encode(hosts[name]); err != nil {
			return fmt.Errorf("memory of %s: %w", name, err)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// LearnLines learns from the pages of the lines that ExtractLines reads. Lines
// that cannot be read or extracted add nothing.
func (x *Extractor) LearnLines(r io.Reader) (map[string]*memory.Host, error) {
	hosts := make(map[string]*memory.Host)
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	for sc.Scan() {
		var in pageLine
		if json.Unmarshal(sc.Bytes(), &in) != nil {
			continue
		}
		if p, err := in.page(); err == nil {
			x.Learn(hosts, p)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	return hosts, nil
}

// Learn adds what a page has in common with others to hosts, as Run does with
// the pages it handles. Pages that are no articles add nothing.
func (x *Extractor) Learn(hosts map[string]*memory.Host, p *news.Page) {
	r := &reading{remember: true}
	host := weburl.Host(p.URL)
	if _, err := x.extract(context.Background(), p, r); err != nil || host == "" {
		return
	}
	if hosts[host] == nil {
		hosts[host] = memory.New(host)
	}
	hosts[host].Learn(r.learned)
}
