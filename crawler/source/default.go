package source

import (
	_ "embed"
	"fmt"
	"sync"
)

//go:embed default.yaml
var defaultYAML []byte

var defaultSet = sync.OnceValue(func() *Set {
	set, err := Parse("default.yaml", defaultYAML)
	if err != nil {
		panic(fmt.Sprintf("the built-in sources are broken: %v", err)) // a test sees to it that they are not
	}
	return set
})

// Default returns the built-in sources: chip and technology news in English,
// Simplified and Traditional Chinese. Those whose feed is known to work are
// enabled; the others are disabled, each with the reason.
func Default() *Set { return defaultSet() }

// DefaultYAML returns the file that Default is read from, as a start for one's
// own.
func DefaultYAML() []byte { return append([]byte(nil), defaultYAML...) }
