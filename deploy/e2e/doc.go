// Package e2e tests Xinwen as a whole: the crawler reads a simulated web (see
// package simweb), and what comes out at the other end, in search results,
// alerts and live streams, is held against what was published. The package has
// tests alone.
//
// The slow ones skip with -short. XINWEN_KILLS sets how often the kill test ends
// the process (default 5).
package e2e
