package prom

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"xinwen/indexer/search"
)

// series is a line of the result: a value for each time, NaN where there is
// none.
type series struct {
	labels map[string]string
	values []float64
}

// samples is how many points stand for a range where an average over it is
// asked for.
const samples = 30

// evaluation evaluates one query at some times.
type evaluation struct {
	counter  search.Counter
	times    []time.Time
	warnings []string
}

// eval returns the series of e. Keep are the labels that whoever asks needs, nil
// for all that a selector has by itself.
func (v *evaluation) eval(ctx context.Context, e expr, keep []string) ([]series, error) {
	switch e := e.(type) {
	case *selector:
		if e.window > 0 {
			return nil, cannot("a range alone is no answer; write for example increase(%s[1h])", Metric)
		}
		return v.selected(ctx, e, keep, func(count func(time.Time) float64, t time.Time) float64 { return count(t) }, func(t time.Time) []time.Time { return []time.Time{t} }, true)
	case *call:
		return v.called(ctx, e, keep)
	case *binary:
		return v.computed(ctx, e, keep)
	case *aggregate:
		return v.aggregated(ctx, e)
	}
	return nil, cannot("a number is no series")
}

func (v *evaluation) called(ctx context.Context, c *call, keep []string) ([]series, error) {
	w := c.arg.window
	ends := func(t time.Time) []time.Time { return []time.Time{t.Add(-w), t} }
	switch c.name {
	case "increase", "delta", "idelta":
		return v.selected(ctx, c.arg, keep, func(n func(time.Time) float64, t time.Time) float64 { return n(t) - n(t.Add(-w)) }, ends, false)
	case "rate", "irate":
		return v.selected(ctx, c.arg, keep, func(n func(time.Time) float64, t time.Time) float64 { return (n(t) - n(t.Add(-w))) / w.Seconds() }, ends, false)
	case "min_over_time":
		return v.selected(ctx, c.arg, keep, func(n func(time.Time) float64, t time.Time) float64 { return n(t.Add(-w)) }, ends, false)
	case "avg_over_time":
		points := func(t time.Time) []time.Time {
			list := make([]time.Time, samples)
			for i := range list {
				list[i] = t.Add(-w * time.Duration(samples-1-i) / samples)
			}
			return list
		}
		return v.selected(ctx, c.arg, keep, func(n func(time.Time) float64, t time.Time) float64 {
			sum := 0.0
			for _, at := range points(t) {
				sum += n(at)
			}
			return sum / samples
		}, points, false)
	}
	return v.selected(ctx, c.arg, keep, func(n func(time.Time) float64, t time.Time) float64 { return n(t) }, ends, false) // max, last
}

// selected asks the index for a selector's counts: at gives the value at a time
// from the number of articles published up to a time, points the times that it
// will ask for.
func (v *evaluation) selected(ctx context.Context, s *selector, keep []string, at func(func(time.Time) float64, time.Time) float64, points func(time.Time) []time.Time, named bool) ([]series, error) {
	req := search.CountRequest{}
	constant := make(map[string]string) // labels of every series
	var by []string
	need := func(label string) {
		if !slices.Contains(by, label) {
			by = append(by, label)
		}
	}
	if keep == nil {
		keep = []string{"lang", "source"}
		for _, l := range several {
			if slices.ContainsFunc(s.matchers, func(m matcher) bool { return m.label == l && !(m.op == "=" && m.value == "") }) {
				keep = append(keep, l)
			}
		}
	}
	for _, l := range keep {
		need(l)
	}
	for _, m := range s.matchers {
		values, exact := alternatives(&m)
		filter := map[string]*[]string{"lang": &req.Lang, "source": &req.Source, "entity": &req.Entity, "topic": &req.Topic}[m.label]
		switch {
		case m.op == "=" && m.value == "" && slices.Contains(several, m.label):
			by = slices.DeleteFunc(by, func(l string) bool { return l == m.label }) // each article once
			continue
		case m.op == "=" && m.value != "" && len(*filter) == 0:
			*filter = []string{m.value}
			constant[m.label] = m.value
			by = slices.DeleteFunc(by, func(l string) bool { return l == m.label })
			continue
		case exact && len(*filter) == 0:
			*filter = values
		}
		need(m.label)
	}
	// Edges: one after each time, since a range includes its end.
	var edges []time.Time
	for _, t := range v.times {
		for _, p := range points(t.Add(-s.offset)) {
			edges = append(edges, p.Add(time.Nanosecond))
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	edges = slices.CompactFunc(edges, time.Time.Equal)
	if len(edges)+1 > search.MaxEdges {
		return nil, cannot("the query asks for %d points in time, more than %d; use a longer step", len(edges), search.MaxEdges)
	}
	req.Edges = append([]time.Time{{}}, edges...)
	req.By = by
	req.Limit = min(search.DefaultGroups, search.MaxCounts/len(req.Edges))
	res, err := v.counter.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	if res.Truncated {
		v.warnings = append(v.warnings, fmt.Sprintf("only the %d largest series are shown; narrow the query or aggregate by fewer labels", req.Limit))
	}
	var out []series
	for _, g := range res.Groups {
		labels := make(map[string]string, len(g.Labels)+len(constant)+1)
		for k, value := range constant {
			labels[k] = value
		}
		for k, value := range g.Labels {
			if value != "" {
				labels[k] = value
			}
		}
		if slices.ContainsFunc(s.matchers, func(m matcher) bool { return constant[m.label] == "" && !m.holds(labels[m.label]) }) {
			continue
		}
		if named {
			labels["__name__"] = Metric
		}
		sums := make([]float64, len(edges))
		total := 0.0
		for i, n := range g.Counts {
			total += float64(n)
			sums[i] = total
		}
		count := func(t time.Time) float64 {
			t = t.Add(time.Nanosecond)
			i := sort.Search(len(edges), func(i int) bool { return !edges[i].Before(t) })
			return sums[min(i, len(sums)-1)]
		}
		x := series{labels, make([]float64, len(v.times))}
		for i, t := range v.times {
			x.values[i] = at(count, t.Add(-s.offset))
		}
		out = append(out, x)
	}
	return out, nil
}

// alternatives returns the values that a matcher allows, if it is a list of
// plain ones.
func alternatives(m *matcher) (values []string, ok bool) {
	if m.op != "=~" {
		return nil, false
	}
	text := strings.TrimSuffix(strings.TrimPrefix(m.value, "("), ")")
	for v := range strings.SplitSeq(text, "|") {
		v = strings.ReplaceAll(v, `\-`, "-")
		if v == "" || strings.ContainsAny(v, `.*+?()[]{}^$\`) {
			return nil, false
		}
		values = append(values, v)
	}
	return values, true
}

func (v *evaluation) computed(ctx context.Context, b *binary, keep []string) ([]series, error) {
	n, left := b.left.(number)
	e := b.right
	if !left {
		n, e = b.right.(number), b.left
	}
	list, err := v.eval(ctx, e, keep)
	if err != nil {
		return nil, err
	}
	for i := range list {
		delete(list[i].labels, "__name__")
		for j, x := range list[i].values {
			if left {
				list[i].values[j] = compute(b.op, float64(n), x)
			} else {
				list[i].values[j] = compute(b.op, x, float64(n))
			}
		}
	}
	return list, nil
}

func (v *evaluation) aggregated(ctx context.Context, a *aggregate) ([]series, error) {
	if a.k > 0 {
		list, err := v.eval(ctx, a.of, nil)
		if err != nil {
			return nil, err
		}
		return topk(list, a.k, a.op == "bottomk", len(v.times)), nil
	}
	keep := a.by
	if a.op != "sum" {
		keep = nil // what is averaged are the single series
		for _, l := range several {
			if slices.Contains(a.by, l) {
				if keep == nil {
					keep = []string{"lang", "source"}
				}
				keep = append(keep, l)
			}
		}
	} else if keep == nil {
		keep = []string{}
	}
	list, err := v.eval(ctx, a.of, keep)
	if err != nil {
		return nil, err
	}
	groups := make(map[string]*series)
	sizes := make(map[string]int)
	var order []string
	for _, s := range list {
		labels := make(map[string]string)
		var key strings.Builder
		for _, l := range a.by {
			if s.labels[l] != "" {
				labels[l] = s.labels[l]
			}
			key.WriteString(s.labels[l] + "\x00")
		}
		k := key.String()
		g := groups[k]
		if g == nil {
			groups[k] = &series{labels, slices.Clone(s.values)}
			sizes[k] = 1
			order = append(order, k)
			continue
		}
		sizes[k]++
		for i, x := range s.values {
			switch a.op {
			case "min":
				g.values[i] = min(g.values[i], x)
			case "max":
				g.values[i] = max(g.values[i], x)
			default:
				g.values[i] += x
			}
		}
	}
	out := make([]series, 0, len(order))
	for _, k := range order {
		g := groups[k]
		for i := range g.values {
			switch a.op {
			case "avg":
				g.values[i] /= float64(sizes[k])
			case "count":
				g.values[i] = float64(sizes[k])
			}
		}
		out = append(out, *g)
	}
	return out, nil
}

// topk keeps the k largest (or smallest) values of each time.
func topk(list []series, k int, smallest bool, times int) []series {
	index := make([]int, len(list))
	keep := make([]bool, len(list))
	kept := make([][]float64, len(list))
	for i := range list {
		kept[i] = make([]float64, times)
		for t := range kept[i] {
			kept[i][t] = math.NaN()
		}
	}
	for t := range times {
		for i := range index {
			index[i] = i
		}
		sort.SliceStable(index, func(a, b int) bool {
			x, y := list[index[a]].values[t], list[index[b]].values[t]
			if smallest {
				return x < y
			}
			return x > y
		})
		for _, i := range index[:min(k, len(index))] {
			keep[i], kept[i][t] = true, list[i].values[t]
		}
	}
	var out []series
	for i, s := range list {
		if keep[i] {
			out = append(out, series{s.labels, kept[i]})
		}
	}
	return out
}
