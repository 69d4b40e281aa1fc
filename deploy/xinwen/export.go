package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

type exportCmd struct {
	apiFlags
	filters
	Query  string `arg:"" optional:"" help:"What to export; nothing means every article."`
	Format string `enum:"ndjson,csv" default:"ndjson" help:"ndjson or csv."`
}

// Run prints all articles that match, and fails if not all of them came.
func (c *exportCmd) Run(ctx context.Context) error {
	v := c.values(c.Query)
	v.Set("format", c.Format)
	resp, err := c.client().do(ctx, http.MethodGet, "/v1/export", v, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	out := bufio.NewWriter(os.Stdout)
	err = copyExport(out, resp.Body, c.Format)
	return errors.Join(err, out.Flush())
}

// exportManifest is the last line of an export: what came before it.
type exportManifest struct {
	Count    int
	SHA256   string `json:"sha256"`
	Complete bool
	Cursor   string
}

// copyExport copies an export to w as it comes, and compares it with the
// manifest at its end.
func copyExport(w io.Writer, r io.Reader, format string) error {
	var (
		lines = bufio.NewReaderSize(r, 256<<10)
		sum   = sha256.New()
		count = -1 // lines before the last one
		last  []byte
	)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			_, _ = sum.Write(last) // never fails
			last = line
			count++
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return hint(fmt.Errorf("the export broke off after %d lines: %w", count+1, err), "run it again")
		}
	}
	m, ok := parseManifest(last, format)
	switch got := hex.EncodeToString(sum.Sum(nil)); {
	case !ok:
		return hint(fmt.Errorf("the export broke off after %d lines: it has no manifest at its end", count+1), "run it again; a proxy on the way may bound time or size")
	case !m.Complete:
		return hint(fmt.Errorf("the export ended early, after %d articles", m.Count), "the log of the api says why; go on with cursor="+m.Cursor)
	case got != m.SHA256 || format == "ndjson" && count != m.Count: // cells of CSV may hold line breaks
		return hint(fmt.Errorf("what came is not what was sent: %d articles of %d, hash %.12s… instead of %.12s…", count, m.Count, got, m.SHA256), "run it again")
	}
	return nil
}

// parseManifest reads the last line of an export, if that is a manifest.
func parseManifest(line []byte, format string) (m exportManifest, ok bool) {
	if format == "csv" {
		text, found := bytes.CutPrefix(line, []byte("# manifest "))
		return m, found && json.Unmarshal(text, &m) == nil
	}
	var last struct{ Manifest *exportManifest }
	if json.Unmarshal(line, &last) != nil || last.Manifest == nil {
		return m, false
	}
	return *last.Manifest, true
}
