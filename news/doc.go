// Package news holds what flows through Xinwen: a Page goes from the crawler to
// the extractor, an Article from there to the indexer and everyone who
// subscribes, an Alert from the indexer to delivery.
//
// All messages are versioned JSON. A reader accepts its own Version and every
// older one, ignores fields it does not know, and refuses newer versions with
// ErrVersion, so that a rolling upgrade starts with the readers.
//
// The package depends on the standard library alone. How messages travel is in
// package bus.
package news

import "errors"

// Version is the version of every message form in this package.
const Version = 1

// ErrVersion says that a message was written by a newer Xinwen than this one.
var ErrVersion = errors.New("message version is newer than this program understands; upgrade it")
