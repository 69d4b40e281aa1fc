package bus_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/bus"
)

func TestRunsKnowThoseBeforeThem(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 11 {
		b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: dir}})
		if err != nil {
			t.Fatal(err)
		}
		run, before := b.Runs()
		if diff := cmp.Diff(want[max(0, len(want)-8):], before); len(want)+len(before) > 0 && diff != "" {
			t.Errorf("run %d: runs before (-want +got):\n%s", i, diff)
		}
		want = append(want, run)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
