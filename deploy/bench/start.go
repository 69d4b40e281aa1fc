package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// start measures five cold starts on an empty and on a filled data directory,
// and the memory at rest.
func start(ctx context.Context) error {
	p, err := build(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = p.remove() }() // a folder below the temporary one
	var took, rest []float64
	for i := range 5 {
		data := filepath.Join(p.dir, "data"+strconv.Itoa(i))
		x, ready, err := p.start(ctx, "--data", data, "--sources", "none")
		if err != nil {
			return err
		}
		took = append(took, ready.Seconds())
		time.Sleep(5 * time.Second) // at rest
		memory, err := x.memory()
		if err := errors.Join(err, x.stop()); err != nil {
			return err
		}
		rest = append(rest, memory.now/(1<<20))
	}
	figure("cold start, empty, median of 5", median(took), "s", "< 3, aim < 1")
	figure("memory at rest, median of 5", median(rest), "MiB", "< 300, aim < 200")
	var again []float64
	for range 5 {
		x, ready, err := p.start(ctx, "--data", filepath.Join(p.dir, "data0"), "--sources", "none")
		if err != nil {
			return err
		}
		again = append(again, ready.Seconds())
		if err := x.stop(); err != nil {
			return err
		}
	}
	figure("start again, median of 5", median(again), "s", "")
	return nil
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
