package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/indexer/search"
	"xinwen/news"
)

var exportOperation = func() huma.Operation {
	op := operation(http.MethodGet, "/v1/export", "export", "Every article that matches, as NDJSON or CSV", "search")
	op.Description = "Takes the parameters of /v1/search that narrow it, and streams all hits, newest first unless sort says otherwise. " +
		"The last line is a manifest: NDJSON {\"manifest\":{…}}, CSV a line that begins with #. It tells the number of articles, " +
		"the SHA-256 of all bytes before it, and whether the export is complete; without it the download was cut. " +
		"With full=true NDJSON lines are whole articles."
	text := &huma.Schema{Type: huma.TypeString}
	op.Parameters = append(
		narrowingParams(),
		&huma.Param{Name: "sort", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{search.SortNewest, search.SortOldest, search.SortRelevance}, Default: search.SortNewest}},
		&huma.Param{Name: "cursor", In: "query", Description: "Where an export that is not complete goes on: the cursor of its manifest", Schema: text},
		&huma.Param{Name: "format", In: "query", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"ndjson", "csv"}, Default: "ndjson"}},
		&huma.Param{Name: "full", In: "query", Description: "Whole articles, as NDJSON", Schema: &huma.Schema{Type: huma.TypeBoolean}},
	)
	lines := &huma.MediaType{Schema: text}
	op.Responses["200"] = &huma.Response{Description: "The articles, then the manifest", Content: map[string]*huma.MediaType{
		"application/x-ndjson": lines, "text/csv": lines,
	}}
	return op
}()

// manifest ends an export.
type manifest struct {
	Query      string `json:"query"`
	Count      int    `json:"count"`
	SHA256     string `json:"sha256"`
	AppliedSeq uint64 `json:"applied_seq"`
	Complete   bool   `json:"complete"`
	// Cursor is where an incomplete export can be taken up.
	Cursor   string    `json:"cursor,omitempty"`
	Exported time.Time `json:"exported"`
}

// exportSilence is how long the receiver of an export may take for one page.
const exportSilence = time.Minute

func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p := narrowing(q)
	p.Sort, p.Cursor, p.Size = q.Get("sort"), q.Get("cursor"), search.MaxSize
	if p.Sort == "" {
		p.Sort = search.SortNewest
	}
	fail := func(err error) {
		p := problem.Of(s.problem(r.Context(), "export", err))
		problem.Write(w, p)
	}
	req, err := p.request()
	if err != nil {
		fail(err)
		return
	}
	format := q.Get("format")
	full, err := truth(q, "full")
	if err != nil {
		fail(err)
		return
	}
	var contentType string
	switch format {
	case "", "ndjson":
		format, contentType = "ndjson", "application/x-ndjson"
	case "csv":
		contentType = "text/csv; charset=utf-8"
		if full {
			fail(problem.New(http.StatusBadRequest, "CSV has no whole articles.", "Leave full out, or take format=ndjson."))
			return
		}
	default:
		fail(problem.New(http.StatusBadRequest, fmt.Sprintf("There is no format %q.", format), "Use ndjson or csv."))
		return
	}
	// The first page comes before the status, so that errors can be told.
	res, err := s.o.Searcher.Search(r.Context(), req)
	if err != nil {
		fail(err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="xinwen-export.`+format+`"`)
	w.Header().Set("Cache-Control", "no-store")
	out := newExporter(w, format)
	m := manifest{Query: req.Query, AppliedSeq: res.AppliedSeq, Exported: time.Now().UTC().Truncate(time.Second)}
	rc := http.NewResponseController(w)
	for {
		_ = rc.SetWriteDeadline(time.Now().Add(exportSilence)) // without deadlines the server's hold
		m.Cursor = req.Cursor
		if err = s.exportPage(r.Context(), out, res.Hits, full); err != nil {
			break
		}
		m.Count += len(res.Hits)
		if res.NextCursor == "" {
			m.Complete, m.Cursor = true, ""
			break
		}
		req.Cursor = res.NextCursor
		if res, err = s.o.Searcher.Search(r.Context(), req); err != nil {
			m.Cursor = req.Cursor
			break
		}
	}
	if err != nil && r.Context().Err() == nil {
		s.log.Error("export ended early", "count", m.Count, "err", err)
	}
	_ = out.end(&m) // the client has gone
}

// truth reads a parameter that is true or false, and false if it is not there.
func truth(q url.Values, name string) (bool, error) {
	s := q.Get(name)
	if s == "" {
		return false, nil
	}
	v, err := strconv.ParseBool(s)
	if err != nil {
		return false, &search.RequestError{Field: name, Message: fmt.Sprintf("%q is neither true nor false", s), Hint: "write true or false"}
	}
	return v, nil
}

// exportPage writes one page of hits.
func (s *Server) exportPage(ctx context.Context, out *exporter, hits []search.Hit, full bool) error {
	for i := range hits {
		if !full {
			if err := out.hit(&hits[i]); err != nil {
				return err
			}
			continue
		}
		a, err := s.o.Searcher.Article(ctx, hits[i].ID)
		if err != nil {
			return err
		}
		if err := out.article(a); err != nil {
			return err
		}
	}
	return out.flush()
}

// exporter writes the lines of an export and keeps their hash.
type exporter struct {
	buf  *bufio.Writer
	sum  hash.Hash
	both io.Writer
	csv  *csv.Writer // nil for NDJSON
}

var csvHeader = []string{"id", "url", "title", "snippet", "source", "publisher", "credit", "lang", "script", "published", "fetched", "indexed", "score", "entities"}

func newExporter(w io.Writer, format string) *exporter {
	e := &exporter{buf: bufio.NewWriterSize(w, 32<<10), sum: sha256.New()}
	e.both = io.MultiWriter(e.buf, e.sum)
	if format == "csv" {
		e.csv = csv.NewWriter(e.both)
		_ = e.csv.Write(csvHeader) // flush tells
	}
	return e
}

// exportedHit is a hit without what belongs to a page of results.
type exportedHit struct {
	search.Hit
	Highlights  *struct{} `json:"highlights,omitempty"`
	Explanation *struct{} `json:"explanation,omitempty"`
}

func (e *exporter) hit(h *search.Hit) error {
	if e.csv == nil {
		return e.line(exportedHit{Hit: *h})
	}
	return e.csv.Write([]string{
		h.ID, cell(h.URL), cell(h.Title), cell(h.Snippet), cell(h.Source), cell(h.Publisher), cell(h.Credit), h.Lang, h.Script,
		stamp(h.Published), stamp(h.Fetched), stamp(h.Indexed), strconv.FormatFloat(h.Score, 'g', 6, 64), cell(strings.Join(h.Entities, " ")),
	})
}

func (e *exporter) article(a *news.Article) error { return e.line(a) }

func (e *exporter) line(v any) error {
	enc := json.NewEncoder(e.both)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (e *exporter) flush() error {
	if e.csv != nil {
		if e.csv.Flush(); e.csv.Error() != nil {
			return e.csv.Error()
		}
	}
	return e.buf.Flush()
}

func (e *exporter) end(m *manifest) error {
	if err := e.flush(); err != nil {
		return err
	}
	m.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	if e.csv != nil {
		_, _ = e.buf.WriteString("# manifest ") // Flush tells
		e.both = e.buf
		if err := e.line(m); err != nil {
			return err
		}
		return e.buf.Flush()
	}
	if err := e.line(map[string]*manifest{"manifest": m}); err != nil {
		return err
	}
	return e.buf.Flush()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// cell keeps a spreadsheet from taking foreign text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
