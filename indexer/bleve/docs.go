package bleve

import (
	"context"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// docs are the documents that a part of a query matches.
type docs interface {
	// in returns those of g that are among within. Neither bitmap is changed
	// afterwards by anyone.
	in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error)
	// effort says how dear in is, so that the cheap parts of a query leave few
	// documents to the dear ones.
	effort() effort
}

type effort int

const (
	lookup  effort = iota // of one term
	several               // lookups
	reading               // each document
)

var nothing = roaring.New()

// none matches nothing.
type none struct{}

func (none) in(context.Context, *segment, *roaring.Bitmap) (*roaring.Bitmap, error) {
	return nothing, nil
}
func (none) effort() effort { return lookup }

// everything matches all articles.
type everything struct{}

func (everything) in(_ context.Context, _ *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	return within, nil
}
func (everything) effort() effort { return lookup }

// termDocs are the documents with a term in a field.
type termDocs struct{ field, term string }

func (t termDocs) in(_ context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	all, err := g.bitmap(t.field, t.term)
	if err != nil {
		return nil, err
	}
	return g.among(all, within), nil
}
func (termDocs) effort() effort { return lookup }

// terms returns the documents with any of some terms in a field.
func terms(field string, list ...string) docs {
	parts := make([]docs, len(list))
	for i, t := range list {
		parts[i] = termDocs{field, t}
	}
	return newAnyOf(1, parts...)
}

// prefixDocs are the documents with a term in a field that begins so.
type prefixDocs struct{ field, prefix string }

func (p prefixDocs) in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	all := roaring.New()
	n := 0
	err := g.withPrefix(p.field, p.prefix, func(term string) error {
		if n++; n%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		some, err := g.bitmap(p.field, term)
		if err == nil {
			all.Or(some)
		}
		return err
	})
	all.And(within)
	return all, err
}
func (prefixDocs) effort() effort { return several }

// allOf are the documents that all parts match.
type allOf []docs

func newAllOf(parts ...docs) docs {
	if len(parts) == 1 {
		return parts[0]
	}
	sorted := slices.Clone(parts)
	slices.SortStableFunc(sorted, func(a, b docs) int { return int(a.effort() - b.effort()) })
	return allOf(sorted)
}

func (a allOf) in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	for _, d := range a {
		if within.IsEmpty() {
			break
		}
		var err error
		if within, err = d.in(ctx, g, within); err != nil {
			return nil, err
		}
	}
	return within, nil
}

func (a allOf) effort() effort { return most(a) }

func most(parts []docs) effort {
	e := several
	for _, d := range parts {
		e = max(e, d.effort())
	}
	return e
}

// anyOf are the documents that at least min of its parts match.
type anyOf struct {
	parts []docs
	min   int // at least 1
}

func newAnyOf(min int, parts ...docs) docs {
	switch {
	case len(parts) < min:
		return none{}
	case len(parts) == 1:
		return parts[0]
	case min == len(parts):
		return newAllOf(parts...)
	}
	return anyOf{parts: parts, min: max(min, 1)}
}

func (a anyOf) in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	if a.min == 1 {
		return a.union(ctx, g, within)
	}
	// The documents that so many parts match, and one more.
	found := make([]*roaring.Bitmap, a.min)
	for i := range found {
		found[i] = roaring.New()
	}
	for _, d := range a.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		some, err := d.in(ctx, g, within)
		if err != nil {
			return nil, err
		}
		for i := a.min - 1; i > 0; i-- {
			found[i].Or(roaring.And(found[i-1], some))
		}
		found[0].Or(some)
	}
	return found[a.min-1], nil
}

// union returns the documents that any part matches.
func (a anyOf) union(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	terms, others := make([]*roaring.Bitmap, 0, len(a.parts)), make([]*roaring.Bitmap, 1, len(a.parts))
	for _, d := range a.parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if t, ok := d.(termDocs); ok {
			all, err := g.bitmap(t.field, t.term)
			if err != nil {
				return nil, err
			}
			terms = append(terms, all)
			continue
		}
		some, err := d.in(ctx, g, within)
		if err != nil {
			return nil, err
		}
		others = append(others, some)
	}
	if others[0] = g.among(roaring.FastOr(terms...), within); len(others) == 1 {
		return others[0], nil
	}
	return roaring.FastOr(others...), nil
}

func (a anyOf) effort() effort { return most(a.parts) }

// butNot are the documents of in that out does not match.
type butNot struct{ all, not docs }

func (b butNot) in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	all, err := b.all.in(ctx, g, within)
	if err != nil || all.IsEmpty() {
		return all, err
	}
	not, err := b.not.in(ctx, g, all)
	if err != nil {
		return nil, err
	}
	return roaring.AndNot(all, not), nil
}

func (b butNot) effort() effort { return most([]docs{b.all, b.not}) }

// filtered are the documents of all that keep accepts, as it does those of sure.
type filtered struct {
	all  docs
	sure docs // may be nil
	keep func(g *segment, doc uint32) (bool, error)
}

func (f filtered) in(ctx context.Context, g *segment, within *roaring.Bitmap) (*roaring.Bitmap, error) {
	all, err := f.all.in(ctx, g, within)
	if err != nil {
		return nil, err
	}
	kept := roaring.New()
	if f.sure != nil {
		sure, err := f.sure.in(ctx, g, all)
		if err != nil {
			return nil, err
		}
		all = roaring.AndNot(all, sure)
		kept.Or(sure)
	}
	for n, it := 0, all.Iterator(); it.HasNext(); n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		doc := it.Next()
		ok, err := f.keep(g, doc)
		if err != nil {
			return nil, err
		}
		if ok {
			kept.Add(doc)
		}
	}
	return kept, nil
}

func (filtered) effort() effort { return reading }
