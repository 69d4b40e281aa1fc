package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/deploy/simweb"
	"xinwen/news/bus"
)

// hostile crawls all misbehaving sites of simweb once, in a process that does
// nothing else but serve them: the figure holds both.
func hostile(ctx context.Context) (err error) {
	w, err := simweb.New(simweb.Options{NoDemo: true, Faults: true})
	if err != nil {
		return err
	}
	if err := w.Start(ctx); err != nil {
		return err
	}
	defer w.Close()
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: filepath.Join(dir, "bus")}, Name: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	set, err := source.Parse("simweb", []byte(w.SourcesFor(simweb.SourceOptions{Delay: 10 * time.Millisecond})))
	if err != nil {
		return err
	}
	c, err := crawler.New(crawler.Options{
		// Only the names of the web lead to it: a redirect to a private address is
		// not led anywhere.
		Config: crawler.Config{Once: true, Resolve: resolveEach(w)}, Bus: b, List: set,
	})
	if err != nil {
		return err
	}
	// The bombs are made beforehand, which takes the web some memory.
	before, err := memoryOf(os.Getpid())
	if err != nil {
		return err
	}
	began := time.Now()
	if err := c.Run(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := memoryOf(os.Getpid())
	if err != nil {
		return err
	}
	var longest time.Duration
	where := ""
	for _, q := range w.Log().Requests() {
		if !q.Open && q.Took > longest {
			longest, where = q.Took, q.Host
		}
	}
	report := c.Report()
	figure("misbehaving sites", float64(set.Len()), "sites", "")
	figure("pages published", float64(report.Pages), "pages", "")
	figure("pages in quarantine with a reason", float64(report.Quarantined), "pages", "")
	figure("polls that failed", float64(report.FailedPolls), "sources", "")
	figure("longest request", longest.Seconds(), "s at "+where, "< 45")
	figure("whole crawl", took.Seconds(), "s", "")
	figure("memory before", before.now/(1<<20), "MiB", "")
	figure("memory at its highest, web included", after.highest/(1<<20), "MiB", "< 512, aim < 256")
	return nil
}

func resolveEach(w *simweb.Web) []string {
	var all []string
	for _, h := range w.Hosts() {
		all = append(all, h+"="+w.Addr())
	}
	return all
}
