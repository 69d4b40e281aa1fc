// Package opensearch keeps the articles in an OpenSearch cluster instead of an
// index of this process: what an installation changes to when one machine's
// disk or memory is too small.
//
// Text is analysed here, as it is for package bleve, and given to the cluster as
// tokens with spaces between; what stands at one position is joined by bars. So
// both engines match the same articles: package query's clauses are looked up
// on the same grams, words and keywords, phrases and distances on the positions
// that OpenSearch keeps of them. Ranking is OpenSearch's BM25 with the same
// parameters, fields and weights; it keeps the length of a field in a byte and
// counts deleted articles until it has merged them away, so scores differ from
// those of package bleve in the second digit and close ranks may change places.
//
// An index is named after the analysis and the layout, and numbered: a rebuild
// fills the next number beside the one in use, then an alias changes over. How
// far ARTICLES is included is a document of its own, written when the cluster
// has acknowledged everything up to there on disk; what is written twice after a
// crash finds itself there already, as each document's version is its revision.
package opensearch
