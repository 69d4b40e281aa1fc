package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/backtest"
	"xinwen/api/problem"
	"xinwen/api/rules"
	"xinwen/api/work"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/weburl"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// backtestTimeout bounds a backtest.
const backtestTimeout = 45 * time.Second

// testBody is what is asked of a backtest.
type testBody struct {
	Rule    *news.Rule `json:"rule,omitempty" doc:"The rule to test; it need not be saved, and needs no id"`
	ID      string     `json:"id,omitempty" doc:"Or the ID of a saved one"`
	Since   string     `json:"since,omitempty" doc:"How far to look back, such as 30d (the default), or from when on: 2025-11-01" example:"30d"`
	To      string     `json:"to,omitempty" doc:"The end of the history, now if empty"`
	TZ      string     `json:"tz,omitempty" doc:"IANA time zone of days, UTC if empty"`
	Samples *int       `json:"samples,omitempty" doc:"How many articles to show, 10 by default, 50 at most"`
}

// explainBody is what is asked of an explanation.
type explainBody struct {
	Rule    *news.Rule `json:"rule,omitempty"`
	ID      string     `json:"id,omitempty" doc:"Or the ID of a saved rule"`
	Article string     `json:"article" doc:"The ID or address of an article in the index"`
}

func (s *Server) backtestRoutes(api huma.API) {
	schemas := api.OpenAPI().Components.Schemas
	body := func(t reflect.Type, name string) *huma.RequestBody {
		return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: schemas.Schema(t, true, name)}}}
	}
	op := operation(http.MethodPost, "/v1/alerts:test", "test-alert", "What a rule would have told of", "alerts")
	op.RequestBody = body(typeOf[testBody](), "AlertTest")
	op.SkipValidateBody = true
	op.Description = fmt.Sprintf("Hits are exact. Repeats, conditions and samples are worked out on the newest %d of them.", backtest.MaxArticles)
	register(s, api, op, func(ctx context.Context, in *struct{ RawBody []byte }) (*struct{ Body *backtest.Report }, error) {
		var q testBody
		if err := decode(in.RawBody, &q); err != nil {
			return nil, err
		}
		r, err := s.test(ctx, &q)
		if err != nil {
			return nil, err
		}
		return &struct{ Body *backtest.Report }{r}, nil
	})

	op = operation(http.MethodPost, "/v1/alerts:explain", "explain-alert", "Why a rule matches an article, or why not", "alerts")
	op.RequestBody = body(typeOf[explainBody](), "AlertExplain")
	op.SkipValidateBody = true
	register(s, api, op, func(ctx context.Context, in *struct{ RawBody []byte }) (*struct{ Body *rules.Ruling }, error) {
		var q explainBody
		if err := decode(in.RawBody, &q); err != nil {
			return nil, err
		}
		r, err := s.explain(ctx, &q)
		if err != nil {
			return nil, err
		}
		return &struct{ Body *rules.Ruling }{r}, nil
	})
}

// ruleOf returns the rule that a body gives or names.
func (s *Server) ruleOf(ctx context.Context, given *news.Rule, id string) (*news.Rule, error) {
	if (given == nil) == (id == "") {
		return nil, badBody("The body needs either a rule or the id of one.", "Write {\"rule\": {\"query\": \"…\"}} or {\"id\": \"…\"}.")
	}
	if given == nil {
		r, err := s.storedRule(ctx, id, "")
		if err != nil {
			return nil, err
		}
		return &r.Rule, nil
	}
	r := *given
	if faults := rules.CheckDraft(&r, s.parseQuery); len(faults) > 0 {
		return nil, ruleProblem(faults)
	}
	return &r, nil
}

func (s *Server) test(ctx context.Context, q *testBody) (*backtest.Report, error) {
	rule, err := s.ruleOf(ctx, q.Rule, q.ID)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(q.TZ)
	if err != nil || q.TZ == "Local" {
		return nil, &search.RequestError{Field: "tz", Message: fmt.Sprintf("%q is not an IANA time zone", q.TZ), Hint: "write for example Asia/Shanghai"}
	}
	req := backtest.Request{Rule: *rule, To: time.Now().UTC(), Zone: zone, Samples: 10}
	if q.Samples != nil {
		req.Samples = min(max(*q.Samples, 0), 50)
	}
	if q.To != "" {
		if req.To, err = instant("to", q.To, zone, 1); err != nil {
			return nil, err
		}
	}
	if q.Since == "" {
		q.Since = "30d"
	}
	if d, bad := news.ParseDuration(q.Since); bad == nil {
		// Whole days of the zone, today included.
		day := req.To.Add(-d.Std()).In(zone)
		req.From = time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
		if d.Std() < 24*time.Hour {
			req.From = req.To.Add(-d.Std())
		}
	} else if req.From, err = instant("since", q.Since, zone, 0); err != nil {
		return nil, &search.RequestError{Field: "since", Message: fmt.Sprintf("%q is neither a duration nor a date", q.Since), Hint: "write for example 30d or 2025-11-01"}
	}
	ctx, cancel := context.WithTimeout(ctx, backtestTimeout)
	defer cancel()
	job := s.board.Begin(work.Backtest, "", rule.Name, 0, 0)
	defer job.End()
	t := backtest.Tester{Searcher: s.o.Searcher, Evaluator: s.o.Evaluator, Progress: func(all, more int) {
		job.Of(uint64(all))
		job.Add(uint64(more), 0, uint64(more))
	}}
	return t.Run(ctx, req)
}

func (s *Server) explain(ctx context.Context, q *explainBody) (*rules.Ruling, error) {
	rule, err := s.ruleOf(ctx, q.Rule, q.ID)
	if err != nil {
		return nil, err
	}
	if q.Article == "" {
		return nil, badBody("The body names no article.", "Write its id or its address in article.")
	}
	id := q.Article
	if u, err := weburl.Canonical(id); err == nil {
		id = weburl.ID(u)
	}
	a, err := s.o.Searcher.Article(ctx, id)
	if errors.Is(err, search.ErrNotFound) {
		return nil, problem.New(http.StatusNotFound, fmt.Sprintf("There is no article %q in the index.", q.Article), "It may be in /v1/quarantine, or not have been fetched.")
	}
	if err != nil {
		return nil, err
	}
	e := s.o.Evaluator
	n, err := e.RuleNode(rule)
	if err != nil {
		return nil, err
	}
	d := e.Document(a)
	out := &rules.Ruling{Article: a.ID, Title: a.Title, URL: a.URL, Notes: []string{}}
	if out.Query, err = e.Judge(n, d); err != nil {
		return nil, err
	}
	m, err := e.CompileRule(rule)
	if err != nil {
		return nil, err
	}
	out.Matches = m.Match(d)
	note := func(holds bool, format string, args ...any) {
		if holds {
			out.Notes = append(out.Notes, fmt.Sprintf(format, args...))
		}
	}
	note(out.Query.Holds && !out.Matches, "The entities are all in the article, but in no sentence together.")
	note(rule.Disabled, "The rule is disabled: nothing is matched.")
	note(time.Now().Before(rule.MutedUntil), "The rule is muted until %s: matches are logged, nobody is told.", rule.MutedUntil.UTC().Format(time.RFC3339))
	note(rule.First != nil, "The rule tells only of first mentions.")
	if t := rule.Threshold; t != nil {
		note(true, "The rule tells only when there are %d matches within %s.", t.Count, t.Window)
	}
	if t := rule.Spike; t != nil {
		note(true, "The rule tells only when there are many more matches within %s than usual.", t.Window)
	}
	note(!rule.Repeats, "Of one story only the first article is told; /v1/deliveries?status=repeat shows those held back.")
	return out, nil
}
