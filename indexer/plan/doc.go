// Package plan reads what a search asks for, for any engine: it checks a
// search.Request and makes a Plan of it, in clauses to look up and terms to
// rank by, and it makes the hits that are shown of the articles found.
//
// An engine (packages bleve and opensearch) finds and ranks; what a request
// means, which of it is wrong, and what a hit looks like is decided here, so
// that engines differ in nothing but their speed.
package plan
