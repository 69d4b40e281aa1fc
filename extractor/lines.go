package extractor

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"xinwen/news"
	"xinwen/news/weburl"
)

// lineID is the ID of a line, as it is written there: text or a number.
type lineID string

// UnmarshalJSON keeps a value as it is.
func (id *lineID) UnmarshalJSON(b []byte) error {
	*id = lineID(b)
	return nil
}

// MarshalJSON gives the value back.
func (id lineID) MarshalJSON() ([]byte, error) {
	if id == "" || id == "null" {
		return []byte(`""`), nil
	}
	return []byte(id), nil
}

// faultOf says what is wrong with a line that should be an object.
func faultOf(err error, form string) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) && kind.Field != "" {
		return fmt.Sprintf("%s is a JSON %s; lines are %s", kind.Field, kind.Value, form)
	}
	if errors.As(err, &kind) {
		return fmt.Sprintf("a JSON %s; lines are %s", kind.Value, form)
	}
	return fmt.Sprintf("%v; lines are %s", err, form)
}

// pageLine is one line that ExtractLines reads. Path names a file, HTML holds
// the document; gzip is undone.
type pageLine struct {
	ID          lineID    `json:"id"`
	Path        string    `json:"path"`
	HTML        []byte    `json:"html_base64"`
	URL         string    `json:"url"`
	ContentType string    `json:"content_type"`
	Fetched     time.Time `json:"fetched"`
	TimeZone    string    `json:"time_zone"`
}

// articleLine is one line that ExtractLines writes.
type articleLine struct {
	ID                  lineID      `json:"id"`
	URL                 string      `json:"url"`
	Title               string      `json:"title"`
	Text                string      `json:"text"`
	Authors             []string    `json:"authors"`
	Editor              string      `json:"editor"`
	Reporter            string      `json:"reporter"`
	Credit              string      `json:"credit"`
	Publisher           string      `json:"publisher"`
	Published           string      `json:"published"`
	PublishedConfidence float64     `json:"published_confidence"`
	Modified            string      `json:"modified"`
	Lang                string      `json:"lang"`
	Script              string      `json:"script"`
	Charset             string      `json:"charset"`
	Warnings            []string    `json:"warnings"`
	Links               []news.Link `json:"links,omitempty"`
	Error               string      `json:"error"`
}

// maxLine is the longest line that is read.
const maxLine = 64 << 20

// ExtractLines reads lines {id, path or html_base64, url, content_type} and
// writes one line for each, in order: {id, url, title, text, authors, editor,
// reporter, credit, published, …, warnings, error}. Times are in the zone of the
// page. A line that cannot be read or extracted has its error in "error" and
// does not stop the rest; the returned error is about r and w.
func (x *Extractor) ExtractLines(ctx context.Context, r io.Reader, w io.Writer) error {
	return eachLine(ctx, r, w, func(line []byte) any {
		var in pageLine
		if err := json.Unmarshal(line, &in); err != nil {
			return articleLine{ID: in.ID, Error: faultOf(err, "{id, path or html_base64, url, content_type}"), Authors: []string{}, Warnings: []string{}}
		}
		return x.extractLine(in)
	})
}

// page returns the page of a line.
func (in *pageLine) page() (*news.Page, error) {
	p := &news.Page{Version: news.Version, URL: in.URL, ContentType: in.ContentType, Fetched: in.Fetched, TimeZone: in.TimeZone, Body: in.HTML, Fast: true}
	if u, err := weburl.Canonical(in.URL); err == nil {
		p.URL = u
		p.ID = weburl.ID(u)
	}
	var err error
	switch {
	case in.Path != "":
		p.Body, err = os.ReadFile(in.Path)
	case in.HTML == nil:
		err = errors.New("the line has neither path nor html_base64")
	}
	if err == nil {
		p.Body, err = gunzip(p.Body)
	}
	return p, err
}

func (x *Extractor) extractLine(in pageLine) articleLine {
	out := articleLine{ID: in.ID, URL: in.URL, Authors: []string{}, Warnings: []string{}}
	p, err := in.page()
	var a *news.Article
	if err == nil {
		a, err = x.Extract(p)
	}
	if err != nil {
		out.Error = err.Error()
		var h interface{ Hint() string }
		if errors.As(err, &h) {
			out.Error += " (" + h.Hint() + ")"
		}
		return out
	}
	out.URL, out.Title, out.Text = firstOf(a.URL, in.URL), a.Title, a.Text
	out.Editor, out.Reporter, out.Credit, out.Publisher = a.Editor, a.Reporter, a.Credit, a.Publisher
	out.Published, out.PublishedConfidence, out.Modified = stamp(a.Published), a.PublishedConfidence, stamp(a.Modified)
	out.Lang, out.Script, out.Charset, out.Links = a.Lang, a.Script, a.Charset, a.Links
	out.Authors = append(out.Authors, a.Authors...)
	out.Warnings = append(out.Warnings, a.Warnings...)
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// gunzip undoes gzip, up to 64 MiB.
func gunzip(b []byte) ([]byte, error) {
	if !bytes.HasPrefix(b, []byte("\x1f\x8b")) {
		return b, nil
	}
	g, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	out, err := io.ReadAll(io.LimitReader(g, maxLine+1))
	if err != nil {
		return nil, fmt.Errorf("gunzip: %w", err)
	}
	if len(out) > maxLine {
		return nil, fmt.Errorf("gunzip: more than %d MiB", maxLine>>20)
	}
	return out, nil
}

// textLine is one line that AnnotateLines reads.
type textLine struct {
	ID    lineID `json:"id"`
	Lang  string `json:"lang"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Date  string `json:"date"`
}

// mentionsLine is one line that AnnotateLines writes.
type mentionsLine struct {
	ID       lineID         `json:"id"`
	Mentions []news.Mention `json:"mentions"`
	Error    string         `json:"error,omitempty"`
}

// AnnotateLines reads lines {id, lang, title, text, date} and writes
// {id, mentions} for each, in order, with offsets in code points over
// title + "\n" + text.
func (x *Extractor) AnnotateLines(ctx context.Context, r io.Reader, w io.Writer) error {
	return eachLine(ctx, r, w, func(line []byte) any {
		var in textLine
		if err := json.Unmarshal(line, &in); err != nil {
			return mentionsLine{ID: in.ID, Mentions: []news.Mention{}, Error: faultOf(err, "{id, lang, title, text, date}")}
		}
		date, err := parseDate(in.Date)
		out := mentionsLine{ID: in.ID, Mentions: x.Annotate(in.Title, in.Text, in.Lang, date)}
		if err != nil {
			out.Error = err.Error()
		}
		return out
	})
}

func parseDate(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, f := range [...]string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.Parse(f, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("date %q is not YYYY-MM-DD; relative dates have no value", s)
}

// eachLine applies f to the lines of r, several at once, and writes the results
// as JSON lines in the order they came.
func eachLine(ctx context.Context, r io.Reader, w io.Writer, f func([]byte) any) error {
	workers := runtime.GOMAXPROCS(0)
	type job struct {
		line []byte
		out  chan []byte
	}
	ctx, cancel := context.WithCancel(ctx)
	jobs, order := make(chan job), make(chan job, 2*workers)
	done := make(chan struct{}, workers)
	for range workers {
		go func() {
			for j := range jobs {
				data, err := json.Marshal(f(j.line))
				if err != nil {
					data = fmt.Appendf(nil, `{"error":%q}`, err.Error())
				}
				j.out <- data
			}
			done <- struct{}{}
		}()
	}
	read := make(chan error, 1)
	go func() {
		defer close(order)
		defer close(jobs)
		sc := bufio.NewScanner(r)
		sc.Buffer(make([]byte, 64<<10), maxLine)
		for sc.Scan() {
			line := bytes.TrimSpace(bytes.TrimPrefix(sc.Bytes(), []byte("\ufeff")))
			if len(line) == 0 {
				continue
			}
			j := job{line: bytes.Clone(line), out: make(chan []byte, 1)}
			select {
			case order <- j:
			case <-ctx.Done():
				read <- ctx.Err()
				return
			}
			jobs <- j
		}
		read <- sc.Err()
	}()
	buf := bufio.NewWriter(w)
	var failed error
	for j := range order {
		data := <-j.out
		if failed != nil {
			continue
		}
		_, err := buf.Write(append(data, '\n'))
		if err == nil && len(order) == 0 {
			err = buf.Flush() // nothing waits: whoever reads along sees the line
		}
		if err != nil {
			failed = fmt.Errorf("write lines: %w", err)
			cancel()
		}
	}
	for range workers {
		<-done
	}
	cancel()
	if failed != nil {
		return failed
	}
	if err := <-read; err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	return nil
}
