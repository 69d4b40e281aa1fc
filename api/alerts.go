package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/backtest"
	"xinwen/api/deliver"
	"xinwen/api/problem"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

const (
	// estimateDays is the history that an estimate of a new rule looks at.
	estimateDays = 30
	// maxShare is the share of all news from which a rule is refused, if the
	// index has at least enoughArticles to judge by.
	maxShare       = 0.5
	enoughArticles = 100
	// hidden stands for the part of a webhook's address that may be secret.
	hidden = "/***"
	// secretPrefix begins the environment variables that a rule made over HTTP
	// may name: whoever reaches the api must not make it use others.
	secretPrefix = "XINWEN_SECRET_"
)

// ruleView is a rule as the interface shows and takes it: where webhooks lead,
// but not what may be secret in their addresses.
type ruleView struct {
	news.Rule
	Origin string `json:"origin,omitempty" doc:"The file the rule comes from; such a rule is changed there"`
}

func showRule(r *rules.Stored) ruleView {
	v := ruleView{Rule: r.Rule, Origin: r.Origin}
	v.Webhooks = slices.Clone(v.Webhooks)
	for i := range v.Webhooks {
		v.Webhooks[i].URL = deliver.Place(v.Webhooks[i].URL) + hidden
	}
	return v
}

type ruleResponse struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     ruleView
}

func ruleTag(revision uint64) string { return strconv.Quote(strconv.FormatUint(revision, 10)) }

func showStored(r *rules.Stored) *ruleResponse {
	return &ruleResponse{ETag: ruleTag(r.Revision), Body: showRule(r)}
}

// RulePath holds the parameters of an operation on one rule.
type RulePath struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" doc:"The ETag of the rule that is meant to be changed"`
}

func (s *Server) alertRoutes(api huma.API) {
	body := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: api.OpenAPI().Components.Schemas.Schema(typeOf[news.Rule](), true, "Rule")},
	}}
	register(s, api, operation(http.MethodGet, "/v1/alerts", "list-alerts", "The rules of alerts", "alerts"), s.listAlerts)
	register(s, api, operation(http.MethodGet, "/v1/alerts/{id}", "get-alert", "One rule", "alerts"),
		func(ctx context.Context, in *RulePath) (*ruleResponse, error) {
			r, err := s.storedRule(ctx, in.ID, "")
			if err != nil {
				return nil, err
			}
			return showStored(r), nil
		})

	op := operation(http.MethodPost, "/v1/alerts", "create-alert", "Make a rule", "alerts")
	op.DefaultStatus, op.RequestBody, op.SkipValidateBody = http.StatusCreated, body, true
	op.Description = "A rule whose query has a fault is refused with the column; one that matches nearly everything with an estimate of its hits a day. " +
		"Secrets are never part of a rule: it names environment variables that begin with " + secretPrefix + ", or files of the secrets directory."
	register(s, api, op, func(ctx context.Context, in *struct{ RawBody []byte }) (*ruleResponse, error) {
		r, err := s.readRule(in.RawBody, nil)
		if err != nil {
			return nil, err
		}
		if err := s.admit(ctx, r); err != nil {
			return nil, err
		}
		revision, err := s.rules.Create(ctx, r)
		if errors.Is(err, rules.ErrExists) {
			return nil, problem.New(http.StatusConflict, fmt.Sprintf("There is an alert %q already.", r.ID), "Choose another id, or change that one with PUT.")
		}
		if err != nil {
			return nil, err
		}
		s.log.Info("alert rule made", "rule", r.ID, "owner", r.Owner)
		out := showStored(&rules.Stored{Rule: *r, Revision: revision})
		out.Location = "/v1/alerts/" + r.ID
		return out, nil
	})

	op = operation(http.MethodPut, "/v1/alerts/{id}", "put-alert", "Change a rule", "alerts")
	op.RequestBody, op.SkipValidateBody = body, true // readRule tells more
	op.Description = "With If-Match only if the rule is still the one that was read. A webhook whose url ends with " + hidden + " keeps its address."
	register(s, api, op, func(ctx context.Context, in *struct {
		RulePath
		RawBody []byte
	},
	) (*ruleResponse, error) {
		old, err := s.storedRule(ctx, in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		return s.change(ctx, old, in.RawBody)
	})

	op = operation(http.MethodPatch, "/v1/alerts/{id}", "patch-alert", "Change some keys of a rule", "alerts")
	op.SkipValidateBody = true
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/merge-patch+json": {Schema: &huma.Schema{Type: huma.TypeObject}}, "application/json": {Schema: &huma.Schema{Type: huma.TypeObject}},
	}}
	op.Description = "A JSON merge patch (RFC 7396), such as {\"muted_until\": \"2025-12-01T00:00:00Z\"} or {\"disabled\": true}; null takes a key out."
	register(s, api, op, func(ctx context.Context, in *struct {
		RulePath
		RawBody []byte
	},
	) (*ruleResponse, error) {
		old, err := s.storedRule(ctx, in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		merged, err := patch(showRule(old), in.RawBody)
		if err != nil {
			return nil, err
		}
		return s.change(ctx, old, merged)
	})

	op = operation(http.MethodDelete, "/v1/alerts/{id}", "delete-alert", "Remove a rule", "alerts")
	op.DefaultStatus = http.StatusNoContent
	register(s, api, op, func(ctx context.Context, in *RulePath) (*struct{}, error) {
		old, err := s.storedRule(ctx, in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		if err := s.rules.Delete(ctx, old); err != nil {
			return nil, changeError(err, old)
		}
		s.log.Info("alert rule removed", "rule", in.ID)
		return &struct{}{}, nil
	})

	s.backtestRoutes(api)
	s.deliveryRoutes(api)
}

func (s *Server) listAlerts(ctx context.Context, _ *struct{}) (*struct {
	Body struct {
		Alerts []ruleView `json:"alerts"`
	}
}, error,
) {
	list, err := s.rules.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Alerts []ruleView `json:"alerts"`
		}
	}{}
	out.Body.Alerts = []ruleView{}
	for i := range list {
		out.Body.Alerts = append(out.Body.Alerts, showRule(&list[i]))
	}
	return out, nil
}

// storedRule returns the rule of an ID if it has the tag, where one is given.
func (s *Server) storedRule(ctx context.Context, id, ifMatch string) (*rules.Stored, error) {
	r, err := s.rules.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, noRule(id)
	}
	if ifMatch != "" && !matchesTag(ifMatch, ruleTag(r.Revision)) {
		return nil, changeError(rules.ErrChanged, r)
	}
	return r, nil
}

func changeError(err error, r *rules.Stored) error {
	switch {
	case errors.Is(err, rules.ErrFile):
		return problem.New(http.StatusConflict, fmt.Sprintf("The alert %q comes from the file %s.", r.ID, r.Origin), "Change it there; it is read again at once.")
	case errors.Is(err, rules.ErrChanged):
		return problem.New(http.StatusPreconditionFailed, fmt.Sprintf("The alert %q is no longer the one that was read.", r.ID), "Read it again, and change that.")
	}
	return err
}

// change puts what body says in the place of old.
func (s *Server) change(ctx context.Context, old *rules.Stored, body []byte) (*ruleResponse, error) {
	if old.Origin != "" {
		return nil, changeError(rules.ErrFile, old)
	}
	r, err := s.readRule(body, old)
	if err != nil {
		return nil, err
	}
	if err := s.admit(ctx, r); err != nil {
		return nil, err
	}
	revision, err := s.rules.Update(ctx, r, old)
	if err != nil {
		return nil, changeError(err, old)
	}
	s.log.Info("alert rule changed", "rule", r.ID, "owner", r.Owner)
	return showStored(&rules.Stored{Rule: *r, Revision: revision}), nil
}

// patch merges a JSON merge patch into a rule.
func patch(v ruleView, body []byte) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var doc, changes map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &changes); err != nil || changes == nil {
		return nil, badBody("The body is no JSON object.", "Write for example {\"disabled\": true}.")
	}
	merge(doc, changes)
	return json.Marshal(doc)
}

func merge(doc, changes map[string]any) {
	for k, v := range changes {
		into, isMap := doc[k].(map[string]any)
		switch v := v.(type) {
		case nil:
			delete(doc, k)
		case map[string]any:
			if !isMap {
				into = make(map[string]any)
				doc[k] = into
			}
			merge(into, v)
		default:
			doc[k] = v
		}
	}
}

func badBody(detail, hint string) *problem.Problem {
	return problem.New(http.StatusBadRequest, detail, hint)
}

// decode reads a JSON body strictly.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return badBody("There is more than one JSON value in the body.", "Send one object.")
		}
		return nil
	}
	text := strings.TrimPrefix(err.Error(), "json: ")
	return badBody("The body cannot be read: "+text+".", "See /openapi.json for the keys.")
}

// readRule reads a rule from a body and checks it. A webhook's address that is
// hidden is taken from old, the rule it is to replace, if there is one.
func (s *Server) readRule(body []byte, old *rules.Stored) (*news.Rule, error) {
	var in ruleView
	if err := decode(body, &in); err != nil {
		return nil, err
	}
	if old != nil {
		if in.ID == "" {
			in.ID = old.ID
		}
		if in.ID != old.ID {
			return nil, badBody("The id of a rule cannot be changed.", "Make another rule and remove this one.")
		}
		for i := range in.Webhooks {
			w := &in.Webhooks[i]
			for _, known := range old.Webhooks {
				same := known.SecretEnv == w.SecretEnv && known.SecretFile == w.SecretFile
				if same && w.URL == deliver.Place(known.URL)+hidden {
					w.URL = known.URL
				}
			}
		}
	}
	faults := rules.Check(&in.Rule, s.parseQuery)
	for i, w := range in.Webhooks {
		if strings.HasSuffix(w.URL, hidden) {
			faults = append(faults, rules.KeyFault{Key: "webhooks", Message: fmt.Sprintf("webhook %d: the address is hidden and not known", i+1), Hint: "write it in full"})
		}
	}
	faults = append(faults, s.foreignSecrets(&in.Rule)...)
	if len(faults) > 0 {
		return nil, ruleProblem(faults)
	}
	return &in.Rule, nil
}

func (s *Server) parseQuery(q string) (query.Node, error) { return s.o.Evaluator.Parse(q, nil) }

// foreignSecrets returns the secrets that a rule made over HTTP may not name.
func (s *Server) foreignSecrets(r *news.Rule) []rules.KeyFault {
	var faults []rules.KeyFault
	check := func(key, env, file string) {
		if env != "" && !strings.HasPrefix(env, secretPrefix) {
			faults = append(faults, rules.KeyFault{Key: key, Message: fmt.Sprintf("the environment variable %q is not for rules", env), Hint: "name one that begins with " + secretPrefix})
		}
		if file == "" {
			return
		}
		dir := s.o.Config.SecretsDir
		if dir == "" {
			faults = append(faults, rules.KeyFault{Key: key, Message: "files with secrets cannot be named over HTTP", Hint: "set secrets_dir in the api's configuration, or use a variable " + secretPrefix + "…"})
		} else if rel, err := filepath.Rel(dir, filepath.Clean(file)); err != nil || !filepath.IsAbs(file) || !filepath.IsLocal(rel) {
			faults = append(faults, rules.KeyFault{Key: key, Message: fmt.Sprintf("the file %q is not in the secrets directory", file), Hint: "write its whole path there"})
		}
	}
	for _, w := range r.Webhooks {
		check("webhooks", w.SecretEnv, w.SecretFile)
	}
	for _, c := range r.Channels {
		check("channels", c.URLEnv, c.URLFile)
		check("channels", c.SecretEnv, c.SecretFile)
	}
	return faults
}

// ruleProblem tells all faults of a rule, and the column of the query's.
func ruleProblem(faults []rules.KeyFault) *problem.Problem {
	p := problem.New(http.StatusUnprocessableEntity, faults[0].Message, faults[0].Hint)
	p.Title = "The rule has a fault"
	if len(faults) > 1 {
		p.Title = fmt.Sprintf("The rule has %d faults", len(faults))
	}
	for _, f := range faults {
		if p.Column == 0 && f.Column > 0 {
			p.Column, p.Detail, p.Hint = f.Column, f.Message, f.Hint
		}
		p.Errors = append(p.Errors, problem.Fault{Message: f.Message, Location: "body." + f.Key, Column: f.Column, Hint: f.Hint})
	}
	return p
}

// admit refuses a rule that matches a large part of all news.
func (s *Server) admit(ctx context.Context, r *news.Rule) error {
	if r.Disabled || r.First != nil || r.Threshold != nil || r.Spike != nil {
		return nil // they tell of few matches, whatever they are
	}
	perDay, share, all, err := s.estimate(ctx, r)
	if err != nil {
		// The index may be away for a moment; that is no fault of the rule.
		s.log.Warn("hits of a new rule not estimated", "rule", r.ID, "err", err)
		return nil
	}
	if all < enoughArticles || share < maxShare {
		return nil
	}
	return problem.New(http.StatusUnprocessableEntity,
		fmt.Sprintf("The rule matches %.0f %% of all news: about %.0f hits a day over the last %d days.", 100*share, perDay, estimateDays),
		"Narrow the query, or add a threshold or a spike; POST /v1/alerts:test shows what it would tell of.")
}

// estimate returns how often a rule matched of late.
func (s *Server) estimate(ctx context.Context, r *news.Rule) (perDay, share float64, all int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	now := time.Now().UTC()
	edges := []time.Time{now.AddDate(0, 0, -estimateDays), now}
	req := search.Request{Query: query.RuleText(r), Lang: r.Languages, Source: r.Sources, Match: search.MatchAll}
	hits, err := backtest.Count(ctx, s.o.Searcher, req, edges)
	if err != nil {
		return 0, 0, 0, err
	}
	total, err := backtest.Count(ctx, s.o.Searcher, search.Request{}, edges)
	if err != nil {
		return 0, 0, 0, err
	}
	if total[0] > 0 {
		share = float64(hits[0]) / float64(total[0])
	}
	return float64(hits[0]) / estimateDays, share, total[0], nil
}

func noRule(id string) *problem.Problem {
	return problem.New(http.StatusNotFound, fmt.Sprintf("There is no alert %q.", id), "See /v1/alerts for those there are.")
}
