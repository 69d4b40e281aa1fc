package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/liuzl/gocc"
	"github.com/longbridgeapp/opencc"

	"xinwen/news/han"
)

// corpora is where volume texts lie beside the project.
const corpora = "../../../shared/data/corpora"

// convert measures Traditional to Simplified Chinese over real text.
func convert(_ context.Context) error {
	texts, err := corpus("news-zh-hant.jsonl.gz", 4<<20)
	if err != nil {
		return err
	}
	long, err := opencc.New("t2s")
	if err != nil {
		return err
	}
	gocc, err := gocc.New("t2s")
	if err != nil {
		return err
	}
	ours := rate(texts, func(s string) { han.Simplify(s) })
	fold := rate(texts, func(s string) { han.Fold(s) })
	versus("simplify", ours, "MB/s", "",
		fmt.Sprintf("longbridgeapp/opencc=%s", number(rate(texts, func(s string) { _, _ = long.Convert(s) }))),
		fmt.Sprintf("liuzl/gocc=%s", number(rate(texts, func(s string) { _, _ = gocc.Convert(s) }))))
	figure("fold (width, case, script; with offsets)", fold, "MB/s", "")
	return nil
}

// rate returns MB/s of the best of three passes over texts.
func rate(texts []string, f func(string)) float64 {
	n := 0
	for _, t := range texts {
		n += len(t)
	}
	best := 0.0
	for range 3 {
		started := time.Now()
		for _, t := range texts {
			f(t)
		}
		best = max(best, float64(n)/1e6/time.Since(started).Seconds())
	}
	return best
}

// corpus returns texts of a file of the corpora, up to so many bytes.
func corpus(name string, limit int) ([]string, error) {
	f, err := os.Open(corpora + "/" + name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("this measurement reads %s/%s, which is not there", corpora, name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var texts []string
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for n := 0; lines.Scan() && n < limit; {
		var o struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			return nil, err
		}
		if o.Text = strings.TrimSpace(o.Text); o.Text != "" {
			texts = append(texts, o.Text)
			n += len(o.Text)
		}
	}
	return texts, lines.Err()
}
