package ui

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/api/backtest"
	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
)

// Desk is what the pages of operation ask and what they set going.
type Desk interface {
	Sources
	// Streams returns the state of the streams and their consumers.
	Streams(ctx context.Context) ([]bus.StreamStatus, error)
	// Quarantine returns the newest messages that failed for good.
	Quarantine(ctx context.Context, limit int) ([]bus.Quarantined, error)
	// Replay sends messages in quarantine through the pipeline again, all if no
	// sequence is given, and returns how many.
	Replay(ctx context.Context, seqs ...uint64) (int, error)
	// Rebuild begins to build the index anew.
	Rebuild(ctx context.Context) error
	// Rules returns the rules of alerts.
	Rules(ctx context.Context) ([]rules.Stored, error)
	// CreateRule makes a rule; a *problem.Problem says why it cannot be made,
	// rules.ErrExists that its ID is taken.
	CreateRule(ctx context.Context, r *news.Rule) error
	// ReplaceRule changes a rule as a whole; its errors are those of CreateRule and
	// ChangeRule.
	ReplaceRule(ctx context.Context, r *news.Rule) error
	// TestRule says what a rule would have told of in the last 30 days; a
	// *problem.Problem says why it cannot be tested.
	TestRule(ctx context.Context, r *news.Rule) (*backtest.Report, error)
	// ExplainRule says why a rule matches an article, or why not; a
	// *problem.Problem says why it cannot.
	ExplainRule(ctx context.Context, id, article string) (*rules.Ruling, error)
	// ChangeRule changes a rule; nil takes it away. It returns rules.ErrFile of a
	// rule that comes from a file, and rules.ErrChanged if somebody else was
	// quicker or it is gone.
	ChangeRule(ctx context.Context, id string, change func(*news.Rule)) error
	// Deliveries returns what was told, newest first.
	Deliveries(ctx context.Context, f deliver.Filter) ([]deliver.Record, error)
	// ReplayDelivery tries a delivery that was given up again.
	ReplayDelivery(ctx context.Context, id string) error
}

// listSize is the number of rows in lists of the desk.
const listSize = 200

// Choice is a filter above a list.
type Choice struct {
	Link
	Key string // of its label in the catalogue
}

// When is a time with how long ago that is.
type When struct{ Shown, Machine, Ago string }

func (u *UI) when(t time.Time, lang int) When {
	var w When
	if w.Shown, w.Machine = u.stamp(t); w.Shown != "" {
		w.Ago = ago(time.Since(t), lang)
	}
	return w
}

// ago says how long something is past, or how long it is still away.
func ago(d time.Duration, lang int) string {
	key := "ago"
	if d < 0 {
		key, d = "away", -d
	}
	switch {
	case d < time.Minute && key == "away":
		return say(lang, "soon")
	case d < time.Minute:
		return say(lang, "just-now")
	case d < 2*time.Hour:
		return say(lang, key+"-minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return say(lang, key+"-hours", int(d/time.Hour))
	}
	return say(lang, key+"-days", int(d/(24*time.Hour)))
}

// size writes a number of bytes for people.
func size(n uint64) string {
	const units = "KMGT"
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	x, i := float64(n)/1024, 0
	for x >= 1024 && i < len(units)-1 {
		x /= 1024
		i++
	}
	return fmt.Sprintf("%.1f %ciB", x, units[i])
}

type pipelinePage struct {
	Streams  []Stream
	Index    []Fact
	Problems []string
	Failed   []Quarantined
	Unread   bool // the quarantine cannot be read
	// Said is what came of what was just asked for.
	Said string
	// Busy says that something is on its way, Work how far what takes long is.
	Busy, Rebuilding bool
	Work             []Progress
}

// Stream is a row of the table of streams.
type Stream struct {
	Name            string
	Messages        uint64
	Bytes, MaxBytes string
	Consumers       []Consumer
}

// Consumer is a row of the table of consumers.
type Consumer struct {
	Name        string
	Pending     uint64
	AckPending  int
	Redelivered int
}

// Quarantined is a row of the quarantine.
type Quarantined struct {
	Seq                           uint64
	Service, Reason, Hint, Stream string
	URL, Text                     string
	Attempts                      int
	When                          When
}

func (u *UI) pipeline(w http.ResponseWriter, r *http.Request) {
	ctx, lang := r.Context(), languageOf(r)
	var p pipelinePage
	problem := func(key string, err error) {
		u.o.Logger.Error("page lacks a part", "page", "pipeline", "part", key, "err", err)
		p.Problems = append(p.Problems, say(lang, key))
	}
	var index *search.Status
	if st, err := u.o.Searcher.Status(ctx); err != nil {
		problem("no-index", err)
	} else {
		index = &st
		p.Index = []Fact{
			{Key: "index-docs", Value: say(lang, "number", st.Docs)},
			{Key: "index-lag", Value: say(lang, "number", st.Lag)},
			{Key: "index-applied", Value: say(lang, "of-number", st.AppliedSeq, st.LastSeq)},
			{Key: "index-bytes", Value: size(st.Bytes)},
		}
		p.Rebuilding, p.Busy = st.Rebuilding, st.Rebuilding || st.Lag > 0
	}
	streams, err := u.o.Desk.Streams(ctx)
	if err != nil {
		problem("no-streams", err)
	}
	for _, st := range streams {
		row := Stream{Name: st.Name, Messages: st.Messages, Bytes: size(st.Bytes)}
		if st.MaxBytes > 0 {
			row.MaxBytes = size(uint64(st.MaxBytes))
		}
		row.Consumers = consumers(st.Consumers)
		for _, c := range row.Consumers {
			p.Busy = p.Busy || st.Name != bus.Frontier && c.Pending > 0 // what the frontier holds may be due much later
		}
		p.Streams = append(p.Streams, row)
	}
	p.Work = u.progress(index, streams, lang)
	p.Busy = p.Busy || len(p.Work) > 0
	failed, err := u.o.Desk.Quarantine(ctx, listSize)
	if err != nil {
		problem("no-quarantine", err)
		p.Unread = true
	}
	for _, q := range failed {
		p.Failed = append(p.Failed, Quarantined{
			Seq: q.Seq, Service: cmp.Or(q.Consumer, q.Service), Reason: q.Reason, Hint: q.Hint, Stream: q.Stream, URL: web(q.URL), Text: cmp.Or(q.URL, q.Subject),
			Attempts: q.Attempts, When: u.when(q.Time, lang),
		})
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("replayed")); err == nil && n >= 0 {
		p.Said = say(lang, "replayed", n)
	}
	if r.URL.Query().Has("rebuild") {
		p.Said = say(lang, "rebuild-begun")
	}
	u.render(w, r, http.StatusOK, "pipeline.html", page{Title: say(lang, "nav-pipeline"), Section: "pipeline", Data: p})
}

// consumers puts those that share their work, as crawler-00 and crawler-01, into
// one row.
func consumers(list []bus.ConsumerStatus) []Consumer {
	var out []Consumer
	for _, c := range list {
		name := strings.TrimRight(c.Name, "0123456789")
		if name == c.Name || !strings.HasSuffix(name, "-") {
			out = append(out, Consumer{c.Name, c.Pending, c.AckPending, c.Redelivered})
			continue
		}
		name += "*"
		i := slices.IndexFunc(out, func(c Consumer) bool { return c.Name == name })
		if i < 0 {
			i, out = len(out), append(out, Consumer{Name: name})
		}
		out[i].Pending += c.Pending
		out[i].AckPending += c.AckPending
		out[i].Redelivered += c.Redelivered
	}
	return out
}

// maxFormBytes bounds the body of a form.
const maxFormBytes = 64 << 10

// form reads the form of r, or answers it.
func (u *UI) form(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	if err := r.ParseForm(); err != nil {
		u.message(w, r, http.StatusBadRequest, "bad-form", "")
		return false
	}
	return true
}

func (u *UI) replay(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	var seqs []uint64
	for _, s := range r.PostForm["seq"] {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			u.message(w, r, http.StatusBadRequest, "bad-form", "")
			return
		}
		seqs = append(seqs, n)
	}
	n := 0
	if len(seqs) > 0 || r.PostForm.Get("which") == "all" {
		var err error
		if n, err = u.o.Desk.Replay(r.Context(), seqs...); err != nil {
			u.failure(w, r, err)
			return
		}
	}
	http.Redirect(w, r, "/pipeline?replayed="+strconv.Itoa(n), http.StatusSeeOther)
}

func (u *UI) rebuild(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	if err := u.o.Desk.Rebuild(r.Context()); err != nil {
		u.failure(w, r, err)
		return
	}
	http.Redirect(w, r, "/pipeline?rebuild=1", http.StatusSeeOther)
}
