package ui

import (
	"context"
	"net/http"
	"strings"
)

// Card is what is shown of an entity beside its mention.
type Card struct {
	URL, Name, Kind string
	Names           []Name
	Tickers, Parent string
	Volume          *Chart
}

// card serves the card of an entity, a part of a page.
func (u *UI) card(w http.ResponseWriter, r *http.Request) {
	lang, id := languageOf(r), r.PathValue("id")
	c := Card{URL: entityURL(id), Name: u.entityName(lang, id), Kind: entityKind(id)}
	e, known := u.o.Lexicon.Current().Entity(id)
	if known {
		c.Names, c.Tickers = namesOf(e), strings.Join(e.Tickers, ", ")
		if e.Parent != "" {
			c.Parent = u.entityName(lang, e.Parent)
		}
	}
	c.Volume = u.recent(r.Context(), id, lang)
	u.render(w, r, http.StatusOK, "card", page{Data: c})
}

// recent counts the articles of late that mention an entity; nil where the index
// cannot say.
func (u *UI) recent(ctx context.Context, id string, lang int) *Chart {
	c, err := u.volume(ctx, state{}.toggle("entity", id), lang)
	if err != nil {
		u.o.Logger.Debug("page lacks a part", "page", "card", "entity", id, "err", err)
		return nil
	}
	return c
}
