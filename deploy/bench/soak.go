package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// soak hands articles in at a steady rate for as long as it is told to, and looks
// whether memory and the time to be searchable grow.
func soak(ctx context.Context) error {
	flags := flag.NewFlagSet("soak", flag.ExitOnError)
	length := flags.Duration("for", 10*time.Minute, "how long")
	rate := flags.Float64("rate", 50, "articles per second")
	_ = flags.Parse(os.Args[2:]) // it ends the process itself
	if *length < time.Minute || *rate <= 0 {
		return errors.New("soak: -for must be a minute at least, -rate above 0")
	}
	texts, err := soakTexts()
	if err != nil {
		return err
	}
	p, err := build(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = p.remove() }() // a folder below the temporary one
	x, _, err := p.start(ctx, "--data", filepath.Join(p.dir, "data"), "--sources", "none")
	if err != nil {
		return err
	}
	s := &soaked{process: x, texts: texts, every: 5}
	err = s.run(ctx, *length, *rate)
	if err := errors.Join(err, x.stop()); err != nil {
		return err
	}
	// The first tenth is warm-up: caches fill, the index makes its first merges.
	warm := s.samples[len(s.samples)/10:]
	own, lag := slope(warm, func(s sample) float64 { return s.own }), slope(warm, func(s sample) float64 { return s.lag })
	last := s.samples[len(s.samples)-1]
	figure("soak", length.Minutes(), "min", "120")
	figure("articles handed in", float64(s.sent), fmt.Sprintf("articles at %.3g/s", float64(s.sent)/length.Seconds()), "")
	figure("articles searchable at the end", float64(s.docs), "articles", "all")
	figure("memory at the end, with what is mapped of the index", last.memory, "MiB", "< 1024, aim < 600")
	figure("memory at the end, without", last.own, "MiB", "")
	figure("slope of it", own*3600, "MiB/h", "flat")
	figure("searchable after, median of samples", quantile(warm, 0.5), "s", "< 1, aim < 0.3")
	figure("searchable after, p99 of samples", quantile(warm, 0.99), "s", "< 5, aim < 2")
	figure("slope of the time to be searchable", 1000*lag*3600, "ms/h", "flat")
	return nil
}

// sample is what was seen at a moment.
type sample struct {
	at     float64 // seconds since the start
	memory float64 // MiB
	own    float64 // MiB of it that is not the index's files
	lag    float64 // seconds from being handed in to being searchable
}

type soaked struct {
	*process
	texts   []string
	samples []sample
	every   int    // seconds from one sample to the next
	before  uint64 // articles that were there already
	sent    int
	docs    uint64
}

// run hands in one second's articles each second, and follows the last of some of
// them until it is searchable.
func (s *soaked) run(ctx context.Context, length time.Duration, rate float64) error {
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; time.Since(began) < length; second++ {
		var b strings.Builder
		id := ""
		for due := int(float64(second) * rate); s.sent < due; s.sent++ {
			id = fmt.Sprintf("soak-%d", s.sent)
			line, err := json.Marshal(map[string]string{"id": id, "title": fmt.Sprint("Soak ", s.sent), "text": fmt.Sprint(s.sent, " ", s.texts[s.sent%len(s.texts)]), "source": "soak"})
			if err != nil {
				return err
			}
			b.Write(line)
			b.WriteByte('\n')
		}
		sent := time.Now()
		resp, err := http.Post("http://"+s.addr+"/v1/articles", "application/x-ndjson", strings.NewReader(b.String()))
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode >= 300 {
			return fmt.Errorf("articles were answered %s", resp.Status)
		}
		if second%s.every == 0 {
			if err := s.follow(ctx, began, sent, s.before+uint64(s.sent)); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	var err error
	for last := time.Now(); time.Since(last) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if s.docs, err = s.count(); err != nil || s.docs >= s.before+uint64(s.sent) {
			break
		}
	}
	return err
}

// follow takes a sample when all that was handed in is searchable.
func (s *soaked) follow(ctx context.Context, began, sent time.Time, all uint64) error {
	for ctx.Err() == nil {
		docs, err := s.count()
		if err != nil {
			return err
		}
		if docs >= all {
			break
		}
		if time.Since(sent) > time.Minute {
			return fmt.Errorf("after a minute %d of %d articles are searchable: lower -rate", docs, all)
		}
		time.Sleep(10 * time.Millisecond)
	}
	memory, err := s.memory()
	if err != nil {
		return err
	}
	seen := sample{time.Since(began).Seconds(), memory.now / (1 << 20), memory.own / (1 << 20), time.Since(sent).Seconds()}
	s.samples = append(s.samples, seen)
	if len(s.samples)%60 == 0 {
		fmt.Fprintf(os.Stderr, "after %.0f s: %d articles, %.0f MiB, the last searchable after %.2f s\n", seen.at, s.sent, seen.memory, seen.lag)
	}
	return ctx.Err()
}

// count returns how many articles are searchable.
func (s *soaked) count() (uint64, error) {
	var status struct{ Index struct{ Docs uint64 } }
	resp, err := http.Get("http://" + s.addr + "/v1/status")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	err = json.NewDecoder(resp.Body).Decode(&status)
	return status.Index.Docs, err
}

// soakTexts are news in three scripts, by turns.
func soakTexts() ([]string, error) {
	each := make([][]string, 0, 3)
	for _, name := range []string{"news-zh-hans.jsonl.gz", "news-zh-hant.jsonl.gz", "news-en.jsonl.gz"} {
		list, err := corpus(name, 32<<20)
		if err != nil {
			return nil, err
		}
		each = append(each, list)
	}
	var all []string
	for i := range min(len(each[0]), len(each[1]), len(each[2])) {
		all = append(all, each[0][i], each[1][i], each[2][i])
	}
	return all, nil
}

// slope fits a line by least squares and returns its rise per second.
func slope(samples []sample, value func(sample) float64) float64 {
	var n, x, y, xx, xy float64
	for _, s := range samples {
		v := value(s)
		n, x, y, xx, xy = n+1, x+s.at, y+v, xx+s.at*s.at, xy+s.at*v
	}
	if d := n*xx - x*x; d > 0 {
		return (n*xy - x*y) / d
	}
	return 0
}

// quantile returns that of the time to be searchable.
func quantile(samples []sample, q float64) float64 {
	lags := make([]float64, len(samples))
	for i, s := range samples {
		lags[i] = s.lag
	}
	slices.Sort(lags)
	return lags[min(int(q*float64(len(lags))), len(lags)-1)]
}
