package reload

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// patient is how long a test waits for an event before it fails.
const patient = 20 * time.Second

// start watches paths and returns the calls of changed, the first of which has
// been received: the watch has begun.
func start(t *testing.T, paths ...string) <-chan struct{} {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan struct{}, 100)
	done := make(chan error, 1)
	go func() { done <- Watch(ctx, paths, func() { calls <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Watch: %v", err)
			}
		case <-time.After(patient):
			t.Error("Watch did not return when its context was done")
		}
	})
	wait(t, calls)
	return calls
}

func wait(t *testing.T, calls <-chan struct{}) {
	t.Helper()
	select {
	case <-calls:
	case <-time.After(patient):
		t.Fatal("changed was not called")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchSees(t *testing.T) {
	for _, tt := range []struct {
		name string
		// prepare makes what is there before and returns the path to watch.
		prepare func(t *testing.T, dir string) string
		// changes happen one after the other, each seen before the next.
		changes []func(t *testing.T, dir string)
	}{
		{
			name: "write",
			prepare: func(t *testing.T, dir string) string {
				write(t, filepath.Join(dir, "f"), "1")
				return filepath.Join(dir, "f")
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) { write(t, filepath.Join(dir, "f"), "22") },
				func(t *testing.T, dir string) { write(t, filepath.Join(dir, "f"), "333") },
			},
		},
		{
			name: "editor_that_renames",
			prepare: func(t *testing.T, dir string) string {
				write(t, filepath.Join(dir, "f"), "1")
				return filepath.Join(dir, "f")
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) {
					write(t, filepath.Join(dir, ".f.swp"), "2")
					must(t, os.Rename(filepath.Join(dir, ".f.swp"), filepath.Join(dir, "f")))
				},
				func(t *testing.T, dir string) {
					must(t, os.Rename(filepath.Join(dir, "f"), filepath.Join(dir, "f~")))
					write(t, filepath.Join(dir, "f"), "3")
				},
			},
		},
		{
			name: "file_in_directory",
			prepare: func(_ *testing.T, dir string) string {
				return dir
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a"), "1") },
				func(t *testing.T, dir string) { write(t, filepath.Join(dir, "b"), "1") },
				func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "a"))) },
			},
		},
		{
			name: "directory_that_comes_later",
			prepare: func(_ *testing.T, dir string) string {
				return filepath.Join(dir, "x", "y", "z")
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) {
					must(t, os.MkdirAll(filepath.Join(dir, "x", "y", "z"), 0o700))
				},
				func(t *testing.T, dir string) { write(t, filepath.Join(dir, "x", "y", "z", "f"), "1") },
				func(t *testing.T, dir string) { must(t, os.RemoveAll(filepath.Join(dir, "x"))) },
				func(t *testing.T, dir string) {
					must(t, os.MkdirAll(filepath.Join(dir, "x", "y", "z"), 0o700))
				},
			},
		},
		{
			name: "file_that_comes_later",
			prepare: func(_ *testing.T, dir string) string {
				return filepath.Join(dir, "x", "f")
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) {
					must(t, os.Mkdir(filepath.Join(dir, "x"), 0o700))
					write(t, filepath.Join(dir, "x", "f"), "1")
				},
			},
		},
		{
			name: "kubernetes_symlink_swap",
			prepare: func(t *testing.T, dir string) string {
				mount(t, dir, 1)
				must(t, os.Symlink(filepath.Join("..data", "f"), filepath.Join(dir, "f")))
				return filepath.Join(dir, "f")
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) { mount(t, dir, 2) },
				func(t *testing.T, dir string) { mount(t, dir, 3) },
			},
		},
		{
			name: "kubernetes_symlink_swap_of_directory",
			prepare: func(t *testing.T, dir string) string {
				mount(t, dir, 1)
				must(t, os.Symlink(filepath.Join("..data", "f"), filepath.Join(dir, "f")))
				return dir
			},
			changes: []func(*testing.T, string){
				func(t *testing.T, dir string) { mount(t, dir, 2) },
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			calls := start(t, tt.prepare(t, dir))
			for _, change := range tt.changes {
				change(t, dir)
				wait(t, calls)
			}
		})
	}
}

// mount writes version n of a volume as the kubelet does: a new directory, then
// the symbolic link ..data exchanged at once, then the old directory removed.
func mount(t *testing.T, dir string, n int) {
	t.Helper()
	version := "..version" + strconv.Itoa(n)
	must(t, os.Mkdir(filepath.Join(dir, version), 0o700))
	write(t, filepath.Join(dir, version, "f"), "content")
	must(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
	must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	must(t, os.RemoveAll(filepath.Join(dir, "..version"+strconv.Itoa(n-1))))
}

func TestNeighboursAreNoChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	write(t, file, "1")
	w := watcher{paths: []string{file}}
	before := w.look()
	write(t, filepath.Join(dir, "neighbour"), "1")
	if !w.look().same(before) {
		t.Error("a neighbour of the watched file counts as a change")
	}
	write(t, file, "22")
	if w.look().same(before) {
		t.Error("a write to the watched file does not count as a change")
	}
}

func TestWatchReturnsAtOnceWhenDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Watch(ctx, []string{t.TempDir()}, func() { t.Error("changed was called") }); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
