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
// Every request is logged. The log is the referee: it says how polite a
// crawler was, how much it fetched for nothing, and what it missed.
package simweb
