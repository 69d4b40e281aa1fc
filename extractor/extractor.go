package extractor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/extractor/duplicate"
	"xinwen/extractor/entity"
	"xinwen/extractor/keyword"
	"xinwen/extractor/language"
	"xinwen/extractor/memory"
	"xinwen/extractor/metadata"
	"xinwen/extractor/mojibake"
	"xinwen/extractor/part"
	"xinwen/extractor/topic"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/charset"
	"xinwen/news/han"
	"xinwen/news/lexicon"
	"xinwen/news/weburl"
)

// Config is what the operator sets. The zero value runs.
type Config struct {
	// Workers is how many pages are worked on at once; 0 means 2.
	Workers int `json:"workers,omitempty" yaml:"workers"`
	// Timeout is the longest that one page may take; 0 means 60 s.
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout"`
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	switch {
	case c.Workers < 0 || c.Workers > 256:
		return fmt.Errorf("extractor: workers is %d; use 1 to 256, or 0 for 2", c.Workers)
	case c.Timeout < 0:
		return fmt.Errorf("extractor: timeout is %s; use a positive duration, or 0 for 60s", c.Timeout)
	}
	return nil
}

// Options is what New needs.
type Options struct {
	// Bus carries pages and articles; only Start and Run need it.
	Bus *bus.Bus
	// Lexicon holds the entities; nil means that articles get no mentions of
	// them.
	Lexicon *lexicon.Store
	Config  Config
	// Memory is what is known of hosts, by host, where Extract, Explain and
	// ExtractLines are to use it; Run has it from the bus.
	Memory map[string]*memory.Host
	// Logger may be nil.
	Logger *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
}

// Extractor turns pages into articles. It is safe for concurrent use.
type Extractor struct {
	bus     *bus.Bus
	lexicon *lexicon.Store
	config  Config
	log     *slog.Logger
	metrics *metrics

	mu        sync.Mutex // held while a gazetteer is built
	gazetteer gazetteer
	given     map[string]*memory.View // of Options.Memory
	store     *memory.Store           // nil without a bus
	copies    *duplicate.Index
	// read is extract; tests put pages that fail in its place.
	read    func(context.Context, *news.Page, *reading) (*news.Article, error)
	running running
}

// New returns an extractor that is not started.
func New(o Options) (*Extractor, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Config.Workers == 0 {
		o.Config.Workers = 2
	}
	if o.Config.Timeout == 0 {
		o.Config.Timeout = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, err
	}
	var store *memory.Store
	if o.Bus != nil {
		store = memory.NewStore(o.Bus.KV(bus.KVMemory), o.Logger)
	}
	x := &Extractor{given: views(o.Memory), store: store, bus: o.Bus, lexicon: o.Lexicon, config: o.Config, log: o.Logger, metrics: m, copies: duplicate.NewIndex(maxCopies)}
	x.read = x.extract
	return x, nil
}

// Error says why a page cannot become an article. Trying again does not help.
type Error struct {
	// Reason is a short fixed phrase, such as "empty page".
	Reason string
	// Detail is what was seen, "" if there is nothing to add.
	Detail string
	hint   string
}

// Error returns the reason and the detail.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Detail
}

// Hint returns what to do about it.
func (e *Error) Hint() string { return e.hint }

// Extract turns a page into an article. Pages that the publisher took away
// (404, 410) give a tombstone. It depends on the page and the lexicon alone;
// Article.Extracted is left zero. Every error is an *Error or about the form of
// an imported article, and permanent.
func (x *Extractor) Extract(p *news.Page) (*news.Article, error) {
	ctx := context.Background()
	a, err := x.extract(ctx, p, x.reading(p))
	if err == nil && !p.Fast {
		err = x.enrich(ctx, a)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// enrich adds to an article what its whole text tells. Its only error is that of
// ctx.
func (x *Extractor) enrich(ctx context.Context, a *news.Article) error {
	if a.Deleted {
		return nil
	}
	a.Mentions = x.mentions(a)
	if err := ctx.Err(); err != nil {
		return err
	}
	a.Topics, a.Keywords = topic.Of(a), keyword.Of(a)
	return ctx.Err()
}

// reading is what is learned of a page beside its article.
type reading struct {
	// series tells of further pages.
	series part.Series
	// twice tells what was encoded twice.
	twice mojibake.Report
	// explain is filled if it is not nil.
	explain *Explanation
	// memory is what is known of the page's host; with remember set, learned is
	// what the page adds to it.
	memory   *memory.View
	remember bool
	learned  memory.Page
}

// extract makes an article of a page, without what enrich adds. The cost of each
// step is bounded by package dom's limits; between them it obeys ctx, whose error
// it returns as it is.
func (x *Extractor) extract(ctx context.Context, p *news.Page, r *reading) (*news.Article, error) {
	a := &news.Article{
		Version: news.Version, ID: p.ID, URL: p.URL, Source: p.Source, Fetched: p.Fetched, Revision: revision(p),
	}
	if a.ID == "" && a.URL != "" {
		a.ID = weburl.ID(a.URL)
	}
	if p.Status == 404 || p.Status == 410 {
		a.Deleted = true
		return a, nil
	}
	if media(p.ContentType) == news.ArticleContentType {
		return imported(a, p)
	}
	if err := refuse(p); err != nil {
		return nil, err
	}
	text, enc := charset.Decode(beginningOf(p.Body), p.ContentType)
	if err := binary(text, enc); err != nil {
		return nil, err
	}
	text = repaired(text, &r.twice)
	a.Charset = enc.Name
	d := parse(text, p.ContentType)
	d.Truncated = d.Truncated || len(p.Body) > dom.MaxBytes
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return build(ctx, a, p, d, enc, r)
}

// beginningOf returns as much of a body as is read, up to the beginning of a tag
// or line, so that no character is cut.
func beginningOf(body []byte) []byte {
	if len(body) <= dom.MaxBytes {
		return body
	}
	body = body[:dom.MaxBytes]
	if k := bytes.LastIndexAny(body[len(body)-64<<10:], "<\n"); k > 0 {
		body = body[:len(body)-64<<10+k]
	}
	return body
}

// build fills a from a parsed page, and r.
func build(ctx context.Context, a *news.Article, p *news.Page, d *dom.Document, enc charset.Result, r *reading) (*news.Article, error) {
	head := metadata.ReadHead(d)
	hints := metadata.Hints(head, p.URL)
	title := hints.Title
	if r.remember {
		hints.Memory, hints.Keys = r.memory, boilerplate.Keys(d)
		a.SiteMemory = r.memory.Name()
	}
	body := boilerplate.Find(d, hints)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	base := baseOf(p.URL, head.Base)
	a.Text, a.Links, a.Gaps = textOf(d, body.Blocks, base)
	r.series = part.Find(d, p.URL, base, body.Blocks)
	declared := pageLanguage(d)
	var w warnings
	if s := structuredText(head.Article.Body); len(s) > 400 && len(a.Text) < len(s)/4 {
		a.Text, a.Links, a.Gaps = s, nil, nil
		w.add("structured-text", "the page shows hardly any text, so that of its structured data stands for it")
	}
	a.Lang, a.Script = language.Detect(title+"\n"+a.Text, declared)

	var zone *time.Location
	if p.TimeZone != "" {
		if z, err := time.LoadLocation(p.TimeZone); err == nil {
			zone = z
		}
	}
	m := metadata.Read(metadata.Input{
		Doc: d, Head: head, Body: body, URL: p.URL, Entry: repairedEntry(p.Entry, &r.twice), Fetched: p.Fetched, Zone: zone, Script: a.Script, Lang: declared,
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.explain != nil {
		r.explain.fill(d, body, m)
		r.explain.Series = r.series
	}
	a.Title, a.Summary, a.Authors, a.Editor, a.Reporter = clip(m.Title, maxTitle), m.Summary, m.Authors, m.Editor, m.Reporter
	a.Credit, a.Publisher, a.Provenance = m.Credit, m.Publisher, m.Provenance
	a.Published, a.PublishedConfidence, a.Modified = m.Published, m.Confidence, m.Modified
	if c, ok := weburl.SamePage(p.URL, head.Canonical); ok {
		a.URL, a.ID = c, weburl.ID(c)
	}
	if err := blocked(a, d); err != nil {
		return nil, err
	}
	size := utf8.RuneCountInString(a.Text)
	walled := size < beginning && paywalled(d, body.Blocks)
	short := walled && size < stub
	if short {
		a.Text, a.Links, a.Gaps = "", nil, nil
	} else if walled {
		w.add("paywall", "the page shows only the beginning of its text")
	}
	if a.Text == "" && p.Entry != nil && p.Entry.Summary != "" {
		a.Text = strings.TrimSpace(p.Entry.Summary)
		w.add("summary-only", "the page has no article text, so the feed's summary stands for it")
		a.Lang, a.Script = language.Detect(a.Title+"\n"+a.Text, declared)
	}
	if a.Text == "" && short {
		return nil, &Error{Reason: "paywall", Detail: a.Title, hint: "the page shows hardly any text to readers without a subscription; follow the source's feed if that has summaries, or leave the source out"}
	}
	if a.Text == "" {
		return nil, &Error{
			Reason: "no article text", Detail: fmt.Sprintf("%d blocks of text", len(d.Blocks)),
			hint: "the page may be a list page, or build its text with scripts; look at it in a browser, and give the source a feed with full text if it has one",
		}
	}
	if a.Title == "" {
		a.Title = clip(firstLine(a.Text), 80)
		w.add("title-unknown", "the first line of the text stands for the title")
	}
	a.Gaps = lostIn(a.Text, a.Gaps)
	a.Images, a.Stripped = images(d, body, base), stripped(d, body)
	w.encodedTwice(r.twice)
	if m.Spam {
		w.add("spam", "advertising stands in the page's title or description; it was left out")
	}
	w.doubts(a, d, enc, declared)
	a.Warnings = w
	if r.remember {
		r.learned = learned(p, a, d, body, hints.Keys)
	}
	return a, nil
}

// structuredText is the articleBody of structured data, which may be HTML.
func structuredText(s string) string {
	if strings.Contains(s, "</") || strings.Contains(s, "&#") || strings.Contains(s, "&nbsp;") {
		d := dom.Parse(s)
		blocks := make([]int, len(d.Blocks))
		for i := range blocks {
			blocks[i] = i
		}
		s, _, _ = textOf(d, blocks, "")
	}
	return tidy(s)
}

func firstOf(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

// revision is the fetch time; a page without one gets revision 1, so that it is
// newer than nothing.
func revision(p *news.Page) int64 {
	if p.Fetched.IsZero() {
		return 1
	}
	return p.Fetched.UnixMilli()
}

func media(contentType string) string {
	m, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(m))
}

// parse reads HTML, or plain text as one paragraph a line.
func parse(text, contentType string) *dom.Document {
	if media(contentType) == "text/plain" && !strings.Contains(strings.ToLower(text[:min(len(text), 1024)]), "<html") {
		return dom.Plain(text)
	}
	return dom.Parse(text)
}

// pageLanguage is the language tag of the document element.
func pageLanguage(d *dom.Document) string {
	for n := d.Root.FirstChild; n != nil; n = n.NextSibling {
		if n.DataAtom == atom.Html {
			return firstOf(dom.Attr(n, "lang"), dom.Attr(n, "xml:lang"))
		}
	}
	return ""
}

func firstLine(s string) string {
	l, _, _ := strings.Cut(s, "\n")
	return l
}

// maxTitle bounds titles, in characters.
const maxTitle = 1000

// clip cuts s to at most n characters.
func clip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i] + "…"
		}
		n--
	}
	return s
}

// imported reads an article that was extracted elsewhere.
func imported(a *news.Article, p *news.Page) (*news.Article, error) {
	var in news.ImportedArticle
	if err := json.Unmarshal(p.Body, &in); err != nil {
		return nil, &Error{Reason: "imported article is not valid JSON", Detail: err.Error(), hint: "correct the line and import it again"}
	}
	var twice mojibake.Report
	text := tidy(repaired(in.Text, &twice))
	if text == "" {
		return nil, &Error{Reason: "imported article has no text", hint: `give each line a "text"`}
	}
	a.Title, a.Text, a.Charset = clip(oneLine(repaired(in.Title, &twice)), maxTitle), text, "utf-8"
	var w warnings
	w.encodedTwice(twice)
	a.Warnings = w
	if a.Title == "" {
		a.Title = clip(firstLine(text), 80)
	}
	a.Source = firstOf(a.Source, in.Source)
	if u, err := weburl.Canonical(in.URL); in.URL != "" && err == nil && a.URL == "" {
		a.URL, a.ID = u, weburl.ID(u)
	}
	if a.URL == "" && in.ID != "" {
		a.URL = "urn:import:" + in.ID
		a.ID = weburl.ID(a.URL)
	}
	a.Lang, a.Script = language.Detect(a.Title+"\n"+text, in.Lang)
	if a.Lang == "" && in.Lang != "" {
		a.Lang, _, _ = strings.Cut(strings.ToLower(in.Lang), "-")
	}
	if !in.Published.IsZero() {
		a.Published, a.PublishedConfidence = in.Published.UTC(), 1
	}
	return a, nil
}

// tidy makes text of paragraphs that are separated by one newline.
func tidy(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
	var b strings.Builder
	for line := range strings.Lines(s) {
		line = strings.TrimFunc(line, unicode.IsSpace)
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(line)
	}
	return b.String()
}

func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")), " ")
}

// refuse returns an error for what cannot be a page of text.
func refuse(p *news.Page) error {
	if p.Status != 0 && (p.Status < 200 || p.Status > 299) {
		return &Error{Reason: "not a successful answer", Detail: fmt.Sprintf("HTTP status %d", p.Status), hint: "look at the address in a browser; nothing was extracted"}
	}
	if len(bytes.TrimSpace(p.Body)) == 0 {
		return &Error{Reason: "empty page", hint: "the server sent no content; if it does so again, it may refuse the crawler's user agent"}
	}
	m := media(p.ContentType)
	for _, prefix := range [...]string{"image/", "video/", "audio/", "font/"} {
		if strings.HasPrefix(m, prefix) {
			return notText(m)
		}
	}
	switch m {
	case "application/pdf", "application/zip", "application/gzip", "application/msword", "application/octet-stream":
		if !bytes.Contains(bytes.ToLower(p.Body[:min(len(p.Body), 1024)]), []byte("<html")) {
			return notText(m)
		}
	}
	for _, magic := range [...]string{"%PDF-", "PK\x03\x04", "\x89PNG", "\xff\xd8\xff", "GIF8", "\x1f\x8b", "\x28\xb5\x2f\xfd", "RIFF", "\x00\x00\x00\x18ftyp", "\x7fELF", "\xd0\xcf\x11\xe0", "wOF2"} {
		if bytes.HasPrefix(p.Body, []byte(magic)) {
			return notText(m)
		}
	}
	return nil
}

func notText(m string) error {
	if m == "" {
		m = "binary data"
	}
	return &Error{Reason: "not a page of text", Detail: m, hint: "only HTML and plain text are extracted; exclude such addresses from the source"}
}

// binary returns an error if decoded text is mostly not text.
func binary(text string, enc charset.Result) error {
	bad, n := enc.Replaced, 0
	for i, r := range text {
		if i > 64<<10 {
			break
		}
		n++
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != 0 {
			bad++
		}
	}
	if n > 0 && bad*5 > n {
		return notText("")
	}
	return nil
}

// maxAnnotated is how many bytes of an article names are looked for in: a name
// that is learnt in a text is looked for in all of it, so that the cost grows
// faster than the text.
const maxAnnotated = 128 << 10

// Annotate returns the mentions in an article that was extracted elsewhere.
// date anchors relative dates and may be zero; lang is a language tag, such as
// "zh-Hant" or "en", or "".
func (x *Extractor) Annotate(title, text, lang string, date time.Time) []news.Mention {
	lang, _, _ = strings.Cut(strings.ToLower(lang), "-")
	return x.annotate(title+"\n"+text, entity.Context{Lang: lang, Date: date, Hant: han.Script(text) == news.ScriptHant})
}

func (x *Extractor) mentions(a *news.Article) []news.Mention {
	content := a.Content()
	if len(content) > maxAnnotated {
		content = strings.ToValidUTF8(content[:maxAnnotated], "")
		w := warnings(a.Warnings)
		w.add("long-text", "names were looked for in the first %d KiB", maxAnnotated>>10)
		a.Warnings = w
	}
	return x.annotate(content, entity.Context{Lang: a.Lang, Date: a.Time(), Hant: a.Script == news.ScriptHant})
}
