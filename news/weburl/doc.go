// Package weburl gives every page the one address and ID it is known by.
//
// Canonical parses as browsers do (the WHATWG URL standard) and then folds
// what does not change the page: case and encoding of the host, default ports,
// dot segments and doubled slashes, needless percent escapes, the order of
// query parameters, fragments, credentials, and parameters that only track
// where a reader came from. Different hosts, such as m.example.com and
// www.example.com, stay different until a page gives evidence (see SamePage).
package weburl
