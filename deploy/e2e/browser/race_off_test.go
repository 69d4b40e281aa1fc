//go:build !race

package browser

// raced says that the race detector slows down everything.
const raced = false
