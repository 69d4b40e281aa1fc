package lines_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/lines"
)

func TestReader(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		in   io.Reader
		want []string
		err  error
	}{
		{"nothing", strings.NewReader(""), nil, io.EOF},
		{"ends", strings.NewReader("a\nb\r\n\nc"), []string{"1 a", "2 b", "3 ", "4 c"}, io.EOF},
		{"mark", strings.NewReader("\ufeffa\n\ufeffb\n"), []string{"1 a", "2 \ufeffb"}, io.EOF},
		{"bound", strings.NewReader("12345678\n123456789\nc\n123456789"), []string{"1 12345678", "2 too long", "3 c", "4 too long"}, io.EOF},
		{"longer than any buffer", strings.NewReader(strings.Repeat("x", 1<<20) + "\nb\n"), []string{"1 too long", "2 b"}, io.EOF},
		{"breaks off", io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), []string{"1 a"}, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := lines.NewReader(c.in, 8)
			var got []string
			line, err := r.Next()
			for ; err == nil || errors.Is(err, lines.ErrTooLong); line, err = r.Next() {
				if err != nil {
					line = []byte("too long")
				}
				got = append(got, fmt.Sprintf("%d %s", r.N(), line))
			}
			if d := cmp.Diff(c.want, got); d != "" || !errors.Is(err, c.err) {
				t.Errorf("ended with %v, want %v; lines (-want +got):\n%s", err, c.err, d)
			}
		})
	}
}
