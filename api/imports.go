package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/api/work"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lines"
	"xinwen/news/weburl"
)

const (
	// importFaults bounds the faults that an answer lists; all are counted.
	importFaults = 1000
	// importSilence is how long an import may send nothing.
	importSilence = 2 * time.Minute
)

// intake is one way to bring things in, line by line.
type intake struct {
	operation huma.Operation
	// page makes the page to publish of one line.
	page func(line []byte, now time.Time, fast bool) (*news.Page, error)
	// maxLineBytes bounds a line, workers how many are published at the same
	// time; each waits for its disk.
	maxLineBytes, workers int
	example               string
}

func (s *Server) intakes() []*intake {
	return []*intake{
		{
			operation: intakeOperation("/v1/articles", "import-articles", "Import articles, one JSON object a line",
				"Each line is {id, url, title, text, lang, published, source}; only text is required. "+
					"Without a url the address is urn:import:ID."),
			page: importedArticle, maxLineBytes: s.o.Config.MaxLineBytes, workers: 32,
			example: `{"title":"…","text":"…"}`,
		},
		{
			operation: intakeOperation("/v1/pages", "import-pages", "Import pages as they were fetched, one JSON object a line",
				"Each line is {url, body_base64, content_type, fetched, status, source}; url and body_base64 are required. "+
					"The page goes through extraction as if the crawler had just fetched it."),
			page: importedPage, maxLineBytes: maxPageLineBytes, workers: 8,
			example: `{"url":"https://example.com/1","body_base64":"…"}`,
		},
	}
}

func intakeOperation(path, id, summary, description string) huma.Operation {
	op := operation(http.MethodPost, path, id, summary, "import")
	op.Description = description + " Lines with a fault are left out and reported; the others are taken. " +
		"The answer comes when every line taken is safe in the stream; articles are searchable a moment later."
	op.Parameters = []*huma.Param{
		{Name: "fast", In: "query", Description: "Leave out entities, for bulk measurements", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		{Name: "import", In: "query", Description: "An ID that the requests of one import share, so that the page Pipeline shows them as one", Schema: &huma.Schema{Type: huma.TypeString}},
		{Name: "name", In: "query", Description: "What the page calls the import, such as the name of its file", Schema: &huma.Schema{Type: huma.TypeString}},
		{Name: "read", In: "query", Description: "How many bytes of its files the import had read when it sent this", Schema: &huma.Schema{Type: huma.TypeInteger}},
		{Name: "size", In: "query", Description: "How many bytes its files have", Schema: &huma.Schema{Type: huma.TypeInteger}},
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}},
	}}
	op.Responses["200"] = &huma.Response{Description: "What was taken", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{
			Type: huma.TypeObject,
			Properties: map[string]*huma.Schema{
				"accepted": {Type: huma.TypeInteger}, "rejected": {Type: huma.TypeInteger}, "error": {Type: huma.TypeString},
				"errors": {Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{
					"line": {Type: huma.TypeInteger}, "message": {Type: huma.TypeString},
				}}},
			},
		}},
	}}
	return op
}

// importResult answers an import.
type importResult struct {
	Accepted int           `json:"accepted"`
	Rejected int           `json:"rejected"`
	Errors   []importFault `json:"errors"`
	// Error says why the import ended before its last line.
	Error string `json:"error,omitempty"`
}

type importFault struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

func (s *Server) take(in *intake, w http.ResponseWriter, r *http.Request) {
	fast := false
	switch v := r.URL.Query().Get("fast"); v {
	case "", "false", "0":
	case "true", "1":
		fast = true
	default:
		problem.Write(w, problem.New(http.StatusBadRequest, fmt.Sprintf("fast=%q is neither true nor false.", v), ""))
		return
	}
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		problem.Write(w, problem.New(http.StatusUnsupportedMediaType, fmt.Sprintf("Content-Encoding %q is not taken.", e), "Send the lines as they are; xinwen import unpacks .gz and .zst."))
		return
	}
	job, bad := s.importJob(r)
	if bad != nil {
		problem.Write(w, bad)
		return
	}
	defer job.End()
	rc := http.NewResponseController(w)
	// Imports may be long; only silence ends them.
	_ = rc.SetWriteDeadline(time.Time{}) // without deadlines the server's hold
	body := &patient{r.Body, rc}
	res := s.importLines(r.Context(), in, body, fast, job)
	if res.Error == "" && res.Accepted+res.Rejected == 0 {
		problem.Write(w, problem.New(http.StatusBadRequest, "There is no line in the body.", "Send one object a line, such as "+in.example+"."))
		return
	}
	status := http.StatusOK
	if res.Error != "" {
		status = http.StatusServiceUnavailable
	} else if res.Accepted == 0 {
		status = http.StatusUnprocessableEntity
	}
	_ = rc.SetWriteDeadline(time.Now().Add(time.Minute)) // as above
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(res) // the client has gone
}

// maxImportName bounds what an import is called, in code points.
const maxImportName = 120

// importJob writes up the import that a request is a part of.
func (s *Server) importJob(r *http.Request) (*work.Job, *problem.Problem) {
	q := r.URL.Query()
	var at [2]uint64
	for i, name := range []string{"read", "size"} {
		v := q.Get(name)
		if v == "" {
			continue
		}
		n, err := strconv.ParseUint(v, 10, 63)
		if err != nil {
			return nil, problem.New(http.StatusBadRequest, fmt.Sprintf("%s=%q is not a number of bytes.", name, v), "")
		}
		at[i] = n
	}
	name := []rune(q.Get("name"))
	return s.board.Begin(work.Import, q.Get("import"), string(name[:min(len(name), maxImportName)]), at[0], at[1]), nil
}

// patient moves the read deadline as bytes come in.
type patient struct {
	r  io.Reader
	rc *http.ResponseController
}

func (p *patient) Read(b []byte) (int, error) {
	_ = p.rc.SetReadDeadline(time.Now().Add(importSilence)) // without deadlines the server's hold
	return p.r.Read(b)
}

// importLines publishes what the lines of body say, several at a time.
func (s *Server) importLines(ctx context.Context, in *intake, body io.Reader, fast bool, progress *work.Job) *importResult {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu  sync.Mutex
		res = &importResult{Errors: []importFault{}}
		wg  sync.WaitGroup
	)
	reject := func(line int, message string) {
		mu.Lock()
		defer mu.Unlock()
		res.Rejected++
		progress.Add(0, 1, 0)
		if len(res.Errors) < importFaults {
			res.Errors = append(res.Errors, importFault{line, message})
		}
	}
	end := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if res.Error == "" {
			res.Error = err.Error()
		}
		cancel()
	}
	type job struct {
		line int
		page *news.Page
	}
	jobs := make(chan job)
	for range in.workers {
		wg.Go(func() {
			for j := range jobs {
				if err := s.publishImport(ctx, j.page); err != nil {
					reject(j.line, "not taken: the stream could not store it")
					if ctx.Err() == nil {
						s.log.Error("import ended", "line", j.line, "err", err)
					}
					end(errors.New("the stream stores nothing now; /readyz says why; send the rest again"))
					continue
				}
				mu.Lock()
				res.Accepted++
				mu.Unlock()
				progress.Add(1, 0, 0)
			}
		})
	}
	r := lines.NewReader(body, in.maxLineBytes)
	for ctx.Err() == nil {
		line, err := r.Next()
		if errors.Is(err, lines.ErrTooLong) {
			reject(r.N(), fmt.Sprintf("longer than %d bytes", in.maxLineBytes))
			continue
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				end(fmt.Errorf("the body broke off after line %d", r.N()))
			}
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		page, err := in.page(line, time.Now().UTC(), fast)
		if err != nil {
			reject(r.N(), err.Error())
			continue
		}
		select {
		case jobs <- job{r.N(), page}:
		case <-ctx.Done():
		}
	}
	close(jobs)
	wg.Wait()
	slices.SortFunc(res.Errors, func(a, b importFault) int { return a.Line - b.Line })
	return res
}

// publishImport publishes p. A full stream is back-pressure: it waits as long
// as the client does.
func (s *Server) publishImport(ctx context.Context, p *news.Page) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := s.o.Bus.PublishPage(ctx, p)
		if !errors.Is(err, bus.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// importLine is a line of an import, with the forms of time that exports of
// other programs have.
type importLine struct {
	news.ImportedArticle
	ID        any     `json:"id"`
	Published *string `json:"published"`
}

// importedArticle returns the page that carries an article extracted elsewhere.
func importedArticle(line []byte, now time.Time, fast bool) (*news.Page, error) {
	var in importLine
	if err := parseLine(line, &in); err != nil {
		return nil, err
	}
	a := in.ImportedArticle
	switch id := in.ID.(type) {
	case nil:
	case string:
		a.ID = id
	case float64:
		a.ID = strings.TrimSuffix(fmt.Sprintf("%.0f", id), ".")
	default:
		return nil, errors.New("id is neither text nor a number")
	}
	if strings.TrimSpace(a.Text) == "" {
		return nil, errors.New("text is missing or empty")
	}
	if in.Published != nil && *in.Published != "" {
		var err error
		if a.Published, err = importedTime(*in.Published); err != nil {
			return nil, err
		}
	}
	if a.ID == "" && a.URL == "" {
		// The same text again is the same article.
		a.ID = weburl.ID("text:" + a.Title + "\n" + a.Text)
	}
	address := a.URL
	if address == "" {
		address = "urn:import:" + a.ID
	}
	canonical, err := weburl.Canonical(address)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	a.Source = cmp.Or(a.Source, "import")
	a.URL = canonical
	body, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return &news.Page{
		Version: news.Version, ID: weburl.ID(canonical), URL: canonical, Source: a.Source,
		Status: http.StatusOK, ContentType: news.ArticleContentType, Fetched: now, Fast: fast, Body: body,
	}, nil
}

// maxPageLineBytes bounds the line of a page: what a page may hold, in base64,
// and its head.
const maxPageLineBytes = (10<<20)*4/3 + 64<<10

// importedPage returns a page that was fetched elsewhere.
func importedPage(line []byte, now time.Time, fast bool) (*news.Page, error) {
	var in struct {
		URL         string    `json:"url"`
		Body        []byte    `json:"body_base64"`
		ContentType string    `json:"content_type"`
		Fetched     time.Time `json:"fetched"`
		Status      int       `json:"status"`
		Source      string    `json:"source"`
		TimeZone    string    `json:"time_zone"`
	}
	if err := parseLine(line, &in); err != nil {
		return nil, err
	}
	if in.URL == "" {
		return nil, errors.New("url is missing")
	}
	if len(in.Body) == 0 {
		return nil, errors.New("body_base64 is missing or empty")
	}
	canonical, err := weburl.Canonical(in.URL)
	if err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if in.Fetched.IsZero() || in.Fetched.After(now) {
		in.Fetched = now // it orders the revisions; the future would win for ever
	}
	if in.ContentType == news.ArticleContentType {
		return nil, errors.New("content_type is that of articles; import those at /v1/articles")
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil {
		return nil, fmt.Errorf("time_zone %q is not an IANA time zone", in.TimeZone)
	}
	return &news.Page{
		Version: news.Version, ID: weburl.ID(canonical), URL: canonical, Source: cmp.Or(in.Source, "import"),
		Status: cmp.Or(in.Status, http.StatusOK), ContentType: in.ContentType, Fetched: in.Fetched.UTC(),
		TimeZone: in.TimeZone, Import: true, Fast: fast, Body: in.Body,
	}, nil
}

// parseLine reads one JSON object.
func parseLine(line []byte, v any) error {
	if !utf8.Valid(line) {
		return errors.New("not UTF-8")
	}
	err := json.Unmarshal(line, v)
	var t *json.UnmarshalTypeError
	if errors.As(err, &t) && t.Field != "" {
		return fmt.Errorf("%s is a JSON %s", t.Field[strings.LastIndexByte(t.Field, '.')+1:], t.Value)
	}
	if errors.As(err, &t) {
		return fmt.Errorf("a JSON %s, not an object", t.Value)
	}
	if err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	return nil
}

// importedTimes are the forms of time that are taken; without a zone it is UTC.
var importedTimes = []string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00", http.TimeFormat, time.RFC1123Z,
	time.DateOnly, time.DateTime, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
	"2006/1/2", "2006/1/2 15:04:05", "2006/1/2 15:04", "2006年1月2日", "2006年1月2日 15:04",
}

func importedTime(s string) (time.Time, error) {
	for _, layout := range importedTimes {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("published %q is not a time; write 2025-11-17T08:00:00+08:00 or 2025-11-17 (UTC)", s)
}
