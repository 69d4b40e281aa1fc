// Package known reads pages whose article is known, to fit models to. The folder
// holds <set>/gold.jsonl with a Line each, the pages they name, and dev.txt with
// the IDs to use.
package known

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xinwen/news/charset"
)

// Line is what is known of a page; what is not is empty.
type Line struct {
	ID       string `json:"id"`
	Set      string `json:"set"`
	HTML     string `json:"html"` // its file
	Lang     string `json:"lang"`
	PageType string `json:"page_type"`
	URL      string `json:"url"`
	Text     string `json:"text"`
	// With and Without are pieces that belong to the article, and that do not.
	With, Without []string
	Title         string          `json:"title"`
	Date          string          `json:"date"`
	Author        json.RawMessage `json:"author"` // a string or a list
}

// Language is the language of l without its script or region.
func (l *Line) Language() string { return l.Lang[:min(2, len(l.Lang))] }

// Each calls do with the lines that use takes, in the order of their files, and
// the decoded text of their pages.
func Each(data string, use func(*Line) bool, do func(l *Line, html string) error) error {
	ids, err := os.ReadFile(filepath.Join(data, "dev.txt"))
	if err != nil {
		return err
	}
	listed := make(map[string]bool)
	for id := range strings.FieldsSeq(string(ids)) {
		listed[id] = true
	}
	files, err := filepath.Glob(filepath.Join(data, "*", "gold.jsonl"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, name := range files {
		err := eachLine(name, func(l *Line) error {
			if !listed[l.ID] || !use(l) {
				return nil
			}
			html, err := read(filepath.Join(data, l.HTML))
			if err == nil {
				err = do(l, html)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", l.ID, err)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func eachLine(name string, do func(*Line) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for d := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; {
		l := new(Line)
		if err := d.Decode(l); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := do(l); err != nil {
			return err
		}
	}
}

func read(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	if raw, err = io.ReadAll(z); err != nil {
		return "", err
	}
	text, _ := charset.Decode(raw, "")
	return text, nil
}
