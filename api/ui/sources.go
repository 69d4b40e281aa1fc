package ui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"xinwen/api/problem"
	"xinwen/news"
)

// Sources is what the page of sources asks and sets going. A *problem.Problem
// says what a person can do about an error.
type Sources interface {
	// Sources returns the state of every source.
	Sources(ctx context.Context) ([]news.SourceState, error)
	// Discover looks what there is to follow at an address.
	Discover(ctx context.Context, address string) (*news.Discovery, error)
	// VerifySource probes a source now.
	VerifySource(ctx context.Context, id string) (*news.Verification, error)
	// AddSource follows a new source and returns its ID.
	AddSource(ctx context.Context, draft news.SourceDraft) (id string, err error)
	// SwitchSource switches a source on or off.
	SwitchSource(ctx context.Context, id string, on bool) error
	// RemoveSource follows a source no longer that was added.
	RemoveSource(ctx context.Context, id string) error
}

type sourcesPage struct {
	Choices []Choice
	// Filtered says that only sources of some state are wanted.
	Filtered bool
	Sources  []Source
	// Said is what came of adding or changing a source, Wrong why it cannot be.
	Said, Wrong string
	// Address is what was looked at, Found what is there.
	Address string
	Found   *Found
	// Probed is the source that was just probed.
	Probed *Probed
}

// Source is a row of the table of sources.
type Source struct {
	ID, Name, URL        string
	Articles             string // address of its articles here
	Status               string // key
	Bad                  bool
	Success, Entry, Next When
	// Lag is how long after publication articles are found, "" if not known.
	Lag        string
	Items, New int
	Count      int64
	Reason     string
	Error      string
	Hint       string
	Failures   int
	Ways       []news.WayState
	By         string
	// Acts are the keys of what can be done with the source.
	Acts []string
}

// Found is what there is to follow at an address.
type Found struct {
	*news.Discovery
	Ways []ProbedWay
}

// Probed is a source with its ways as they were just found.
type Probed struct {
	*news.Verification
	Status string // key
	Ways   []ProbedWay
}

// ProbedWay is a way into a source as it was just found.
type ProbedWay struct {
	news.Probe
	Kind, Status string // keys
	Good         bool
	Newest       When
	// Value stands for the way in a form; Chosen says that it is proposed.
	Value  string
	Chosen bool
}

// statuses are those of sources, the worst first.
var statuses = []news.SourceStatus{
	news.SourceFailing, news.SourceDenied, news.SourceLimited, news.SourceStale, news.SourceEmpty, news.SourcePending, news.SourceOK, news.SourceDisabled,
}

// saidOfSources are what the address says of a change, by the key of the message.
var saidOfSources = []string{"source-added", "source-on", "source-off", "source-removed"}

func (u *UI) sources(w http.ResponseWriter, r *http.Request) {
	var p sourcesPage
	if said := r.URL.Query().Get("said"); slices.Contains(saidOfSources, said) {
		p.Said = say(languageOf(r), said)
	}
	u.showSources(w, r, http.StatusOK, p)
}

// showSources shows the page of sources with what p says besides.
func (u *UI) showSources(w http.ResponseWriter, r *http.Request, status int, p sourcesPage) {
	lang := languageOf(r)
	list, err := u.o.Desk.Sources(r.Context())
	if err != nil {
		u.failure(w, r, err)
		return
	}
	wanted := news.SourceStatus(r.URL.Query().Get("status"))
	counts := make(map[news.SourceStatus]int)
	for i := range list {
		st := &list[i]
		counts[st.Status]++
		if wanted == "" || st.Status == wanted {
			p.Sources = append(p.Sources, u.source(st, lang))
		}
	}
	rank := func(s Source) int {
		return slices.IndexFunc(statuses, func(st news.SourceStatus) bool { return statusKey(st) == s.Status })
	}
	slices.SortStableFunc(p.Sources, func(a, b Source) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
	p.Filtered = wanted != ""
	p.Choices = []Choice{{Link{URL: "/sources", Count: len(list), Active: wanted == ""}, "all"}}
	for _, st := range statuses {
		if counts[st] > 0 {
			p.Choices = append(p.Choices, Choice{Link{URL: "/sources?status=" + url.QueryEscape(string(st)), Count: counts[st], Active: wanted == st}, statusKey(st)})
		}
	}
	u.render(w, r, status, "sources.html", page{Title: say(lang, "nav-sources"), Section: "sources", Data: p})
}

// source makes the row of a source.
func (u *UI) source(st *news.SourceState, lang int) Source {
	s := Source{
		ID: st.ID, Name: cmp.Or(st.Name, st.ID), URL: web(st.URL), Articles: state{}.toggle("source", st.ID).URL(), Status: statusKey(st.Status),
		Success: u.when(st.LastSuccess, lang), Entry: u.when(st.NewestEntry, lang), Next: u.when(st.NextPoll, lang),
		Items: st.Items, New: st.New, Count: st.Articles, Error: st.LastError, Hint: st.Hint, Failures: st.Failures, Ways: st.Ways, By: st.ChangedBy,
	}
	s.Bad = slices.Contains(statuses[:4], st.Status)
	s.Acts = []string{actOff}
	if st.Status == news.SourceDisabled {
		s.Reason, s.Acts[0] = st.Reason, actOn
	}
	if st.Added {
		s.Acts = append(s.Acts, actRemove)
	}
	if st.Lag > 0 {
		s.Lag = length(st.Lag.Std(), lang)
	}
	return s
}

func statusKey(st news.SourceStatus) string {
	if slices.Contains(statuses, st) {
		return "status-" + string(st)
	}
	return "status-unknown" // of a newer crawler
}

// length says how long something takes.
func length(d time.Duration, lang int) string {
	switch {
	case d < 2*time.Hour:
		return say(lang, "length-minutes", int((d+30*time.Second)/time.Minute))
	case d < 48*time.Hour:
		return say(lang, "length-hours", int(d/time.Hour))
	}
	return say(lang, "length-days", int(d/(24*time.Hour)))
}

func (u *UI) probes(list []news.Probe, lang int) []ProbedWay {
	var ways []ProbedWay
	for _, p := range list {
		if p.Kind == news.WayURL && p.Error == "" {
			p.Titles = nil // it is its own
		}
		ways = append(ways, ProbedWay{
			Probe: p, Kind: "way-" + p.Kind, Status: statusKey(p.Status), Good: p.Tier == news.TierOK, Newest: u.when(p.Newest, lang),
			Value: p.Kind + " " + p.URL,
		})
	}
	return ways
}

// wrong shows why something cannot be done, with all that was asked.
func (u *UI) wrong(w http.ResponseWriter, r *http.Request, p sourcesPage, err error) {
	var refused *problem.Problem
	if !errors.As(err, &refused) || refused.Status >= http.StatusInternalServerError && refused.Status != http.StatusServiceUnavailable {
		u.failure(w, r, err)
		return
	}
	p.Wrong = strings.TrimSpace(refused.Error() + " " + refused.Hint)
	status := refused.Status
	if r.Header.Get("HX-Request") == "true" {
		status = http.StatusOK // the script shows nothing else
	}
	u.showSources(w, r, status, p)
}

// discoverSource shows what there is to follow at an address.
func (u *UI) discoverSource(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	p := sourcesPage{Address: strings.TrimSpace(r.PostForm.Get("url"))}
	d, err := u.o.Desk.Discover(r.Context(), p.Address)
	if err != nil {
		u.wrong(w, r, p, err)
		return
	}
	p.Found = &Found{Discovery: d, Ways: u.probes(d.Candidates, languageOf(r))}
	// The best feed is proposed, and for want of one what else there is.
	for i := range p.Found.Ways {
		if w := &p.Found.Ways[i]; w.Items > 0 {
			w.Chosen = true
			break
		}
	}
	u.showSources(w, r, http.StatusOK, p)
}

// addSource follows what was chosen of a discovery.
func (u *UI) addSource(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	get := func(key string) string { return strings.TrimSpace(r.PostForm.Get(key)) }
	draft := news.SourceDraft{URL: get("url"), ID: get("id"), Name: get("name"), Lang: get("lang"), Script: get("script")}
	for _, v := range r.PostForm["way"] {
		kind, address, ok := strings.Cut(v, " ")
		if !ok {
			u.message(w, r, http.StatusBadRequest, "bad-form", "")
			return
		}
		draft.Ways = append(draft.Ways, news.Way{Kind: kind, URL: address})
	}
	if len(draft.Ways) == 0 {
		u.showSources(w, r, http.StatusBadRequest, sourcesPage{Address: draft.URL, Wrong: say(languageOf(r), "choose-a-way")})
		return
	}
	if _, err := u.o.Desk.AddSource(r.Context(), draft); err != nil {
		u.wrong(w, r, sourcesPage{Address: draft.URL}, err)
		return
	}
	http.Redirect(w, r, "/sources?said=source-added", http.StatusSeeOther)
}

// verifySource probes a source and shows what was found.
func (u *UI) verifySource(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	v, err := u.o.Desk.VerifySource(r.Context(), r.PostForm.Get("id"))
	if err != nil {
		u.wrong(w, r, sourcesPage{}, err)
		return
	}
	u.showSources(w, r, http.StatusOK, sourcesPage{Probed: &Probed{v, "tier-" + string(v.Tier), u.probes(v.Ways, languageOf(r))}})
}

// changeSource does with a source what one of its buttons says.
func (u *UI) changeSource(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	id, said := r.PostForm.Get("id"), ""
	var err error
	switch r.PostForm.Get("act") {
	case actOn:
		said, err = "source-on", u.o.Desk.SwitchSource(r.Context(), id, true)
	case actOff:
		said, err = "source-off", u.o.Desk.SwitchSource(r.Context(), id, false)
	case actRemove:
		said, err = "source-removed", u.o.Desk.RemoveSource(r.Context(), id)
	default:
		u.message(w, r, http.StatusBadRequest, "bad-form", "")
		return
	}
	if err != nil {
		u.wrong(w, r, sourcesPage{}, err)
		return
	}
	http.Redirect(w, r, "/sources?said="+said, http.StatusSeeOther)
}
