// Package reload tells a program that its files changed.
//
// Watch takes the paths of files and directories, which need not exist yet, and
// calls a function whenever what they hold may have changed. It follows editors
// that write a new file and rename it, Kubernetes, which swaps a symbolic link
// above the file, and directories that are removed and made again.
//
// What decides is not the kind of event but whether a file behind a path is a
// different one than before or has another size, time or mode; an event
// only says when to look. So a change is told of once, and what other programs do
// beside the watched files is not told of at all.
package reload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long there must be no further event before we look.
	quiet = 200 * time.Millisecond
	// patience is how long events may keep us from looking.
	patience = 2 * time.Second
	// poll is how often we look without an event, for file systems that send
	// none (NFS, some container mounts).
	poll = 30 * time.Second
)

// Watch calls changed once when it has begun to watch, so that no change
// between a caller's first reading and the watch is missed, and then after every
// change of a file in paths or of a file directly in a directory in paths. Calls
// come from the calling goroutine, one at a time; a change during a call leads to
// another one. Watch returns nil when ctx is done, and an error if the system
// refuses to watch.
func Watch(ctx context.Context, paths []string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w: raise fs.inotify.max_user_instances or the limit of open files", err)
	}
	defer func() { _ = w.Close() }() // nothing is written through it

	abs := make([]string, len(paths))
	for i, p := range paths {
		if abs[i], err = filepath.Abs(p); err != nil {
			return fmt.Errorf("watch %s: %w", p, err)
		}
	}
	s := watcher{fs: w, paths: abs}
	if err := s.follow(); err != nil {
		return err
	}
	seen := s.look()
	if ctx.Err() != nil {
		return nil
	}
	changed()
	return s.run(ctx, seen, changed)
}

type watcher struct {
	fs    *fsnotify.Watcher
	paths []string
}

func (s *watcher) run(ctx context.Context, seen sight, changed func()) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	timer := time.NewTimer(poll)
	timer.Stop()
	defer timer.Stop()
	var first time.Time // of the events not looked at yet
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-s.fs.Events:
			if !ok {
				return errors.New("watch files: the watcher was closed")
			}
			if first.IsZero() {
				first = time.Now()
			}
			timer.Reset(max(0, min(quiet, patience-time.Since(first))))
			continue
		case _, ok := <-s.fs.Errors: // such as an overflow: events are lost, so look
			if !ok {
				return errors.New("watch files: the watcher was closed")
			}
		case <-timer.C:
		case <-ticker.C:
		}
		first = time.Time{}
		if err := s.follow(); err != nil {
			return err
		}
		// Look before telling: what changes while changed reads is seen next time.
		if now := s.look(); !now.same(seen) {
			seen = now
			changed()
		}
	}
}

// follow watches the directories in which a change of the paths would show.
func (s *watcher) follow() error {
	want := s.wanted()
	for {
		for _, dir := range s.fs.WatchList() {
			if !want[dir] {
				_ = s.fs.Remove(dir) // it may be gone already
			}
		}
		for dir := range want {
			err := s.fs.Add(dir)
			if errors.Is(err, fs.ErrNotExist) {
				continue // gone since we looked
			}
			if err != nil {
				return fmt.Errorf("watch %s: %w: check that it can be read, and raise fs.inotify.max_user_watches if it is full", dir, err)
			}
		}
		// A directory may have been made before its parent was watched.
		again := s.wanted()
		if maps.Equal(want, again) {
			return nil
		}
		want = again
	}
}

// wanted returns, for every path, the directory that holds it, the directory it
// is, and the same at the far end of symbolic links; or the nearest ancestor that
// exists.
func (s *watcher) wanted() map[string]bool {
	want := make(map[string]bool)
	for _, p := range s.paths {
		want[nearest(filepath.Dir(p))] = true
		real, err := filepath.EvalSymlinks(p)
		if err != nil {
			continue
		}
		want[filepath.Dir(real)] = true
		if info, err := os.Stat(real); err == nil && info.IsDir() {
			want[real] = true
		}
	}
	return want
}

// nearest returns dir or its nearest ancestor that is a directory.
func nearest(dir string) string {
	for {
		info, err := os.Stat(dir)
		if up := filepath.Dir(dir); err != nil || !info.IsDir() {
			if up == dir {
				return dir
			}
			dir = up
			continue
		}
		return dir
	}
}

// sight is what is at the watched paths: every file by the path it is reached by.
type sight map[string]os.FileInfo

func (s *watcher) look() sight {
	seen := make(sight)
	for _, p := range s.paths {
		info, err := os.Stat(p)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			seen[p] = info
			continue
		}
		seen[p+string(filepath.Separator)] = nil // the directory: only that it is there
		entries, err := os.ReadDir(p)
		if err != nil {
			continue
		}
		for _, e := range entries {
			f := filepath.Join(p, e.Name())
			if info, err := os.Stat(f); err == nil && !info.IsDir() {
				seen[f] = info
			}
		}
	}
	return seen
}

func (s sight) same(t sight) bool {
	if len(s) != len(t) {
		return false
	}
	for p, a := range s {
		b, ok := t[p]
		if !ok || (a == nil) != (b == nil) {
			return false
		}
		if a != nil && (!os.SameFile(a, b) || a.Size() != b.Size() || !a.ModTime().Equal(b.ModTime()) || a.Mode() != b.Mode()) {
			return false
		}
	}
	return true
}
