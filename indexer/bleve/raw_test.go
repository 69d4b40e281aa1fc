package bleve

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"xinwen/news"
)

// TestRawValues holds what is read from segments' files to what scorch's visitor
// says, with deleted articles and after a merge.
func TestRawValues(t *testing.T) {
	x := openTest(t, t.TempDir())
	seq := uint64(0)
	add := func(n int) {
		var list []*news.Article
		for i := range n {
			a := &news.Article{Version: news.Version, ID: fmt.Sprintf("a%03d", int(seq)+i/2), Revision: int64(seq) + int64(i), Title: "HBM3E 涨价", Text: fmt.Sprint("第", i, "批晶圆 of the fab"), Deleted: i%7 == 3}
			if i%5 == 0 {
				a.Title, a.Text = "", ""
			}
			list = append(list, a)
		}
		seq += uint64(n)
		write(t, x, seq, list...)
		if err := x.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 40, 3} {
		add(n)
	}
	for _, merged := range []bool{false, true} {
		if merged {
			for range 12 {
				add(20)
			}
		}
		s, err := x.snapshot()
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		for _, g := range s.segments {
			raw, file := g.raw()
			if raw == nil {
				continue // not in a file yet
			}
			files++
			want, got := make(map[uint32]string), make(map[uint32]string)
			if err := g.visit(fieldLive, func(doc uint32, value []byte) error {
				if isValue(value) {
					want[doc] = string(value)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			for doc := range uint32(g.Count()) {
				if v := raw.of(file, doc); v != nil {
					got[doc] = string(v)
				}
			}
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("segment of %d: -want +got:\n%s", g.Count(), d)
			}
		}
		if files == 0 {
			t.Error("no segment's values can be read: is it another version of zap?")
		}
		s.close()
	}
}
