package entity

import "xinwen/news"

// quantity is an amount, percentage, date or process node in the shadow text.
type quantity struct {
	start, end          int
	kind                news.Kind
	entity, name, value string
	score               float64
}

func quantities(s string, c Context) []quantity { return nil }
