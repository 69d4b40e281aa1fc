// Package crawler follows sources and turns what they publish into pages.
//
//	sources.yaml ──► poll ──► feed, listpage ──► frontier ──► fetch ──► PAGES
//	                  │                            ▲   │
//	                  └── robots, hosts, fetch ────┴───┘ (retry, quarantine)
//
// Each enabled source is polled by its own goroutine: its feeds and list pages
// are fetched with validators, and the addresses they name go into the frontier.
// A consumer of the frontier fetches each page and publishes it as it is; the
// extractor alone parses it. Every request, redirects, feeds and robots.txt
// included, waits for its host's turn; all but the last also ask robots.txt.
//
// Nothing is lost when the process is killed: an entry is published before it is
// marked as seen, the validators of a poll are kept after all its entries are in
// the frontier, and a page is published before its entry is acked.
//
// What goes wrong for good is visible in two places: pages in QUARANTINE with the
// reason and a hint, sources in their news.SourceState. An address that
// robots.txt forbids is no fault: it is not in QUARANTINE but counted in the
// source's state, and a feed or list page that is forbidden gives its source the
// status "robots-denied".
package crawler
