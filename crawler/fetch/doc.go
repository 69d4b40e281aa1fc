// Package fetch gets one URL from a web server that may be slow, broken or
// hostile, and never takes more time or memory than it was given.
//
// A Client asks with an honest User-Agent, follows up to ten redirects, takes
// gzip, brotli, zstd and deflate apart itself with limits on what comes in, what
// comes out and the ratio of both, gives up on servers that drip, and connects to
// public addresses only, whatever a name resolves to. Before each request,
// redirects included, it passes the Gate of its caller, where robots.txt and
// politeness are decided.
//
// Every failure is an *Error that says of which kind it is, whether trying again
// can help, and what an operator can do.
package fetch
