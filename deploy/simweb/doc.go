// Package simweb is a web of many sites on one loopback listener, to run and
// judge a crawler against without touching the real web. The site is chosen by
// the Host header; a crawler gets there with --resolve '*=127.0.0.1:PORT'.
//
// It serves three things: the demo web (self-written articles in three scripts
// and several encodings, with feeds, list pages, robots.txt and validators), a
// folder of saved pages with an index.json, and sites that misbehave (see
// FaultHost). Every page is rendered before the first request, so what New
// accepts can be served.
//
// A demo site is an entry of demo/sites.yaml and a template of demo/templates,
// an article a file of demo/articles: front matter, then paragraphs. Its age
// counts back from Options.Now, and {day-1}, {month-1}, {quarter+1} and
// {year+1} in its text stand for dates counted from its publication, so that a
// demo is always of the last two weeks and never contradicts itself. Sites,
// people and events are invented, and every page says so.
//
// Every request is logged. The log is the referee: it says how polite a
// crawler was, how much it fetched for nothing, and what it missed.
package simweb
