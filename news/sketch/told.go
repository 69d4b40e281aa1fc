package sketch

import "time"

// Bounds on what a Memory keeps.
const (
	// MaxTold is how many stories are remembered.
	MaxTold = 120
	// MaxAge is how long a story is remembered.
	MaxAge = 72 * time.Hour
)

// Told is an article that was told of.
type Told struct {
	Article string `json:"a"`
	// Story is the ID of its story, "" if it has none.
	Story  string `json:"s,omitempty"`
	Sketch string `json:"k,omitempty"`
	At     int64  `json:"t"` // Unix seconds
}

// Memory remembers what was told of, so that a repeat of it is known. The zero
// value remembers nothing yet.
type Memory struct {
	Told []Told `json:"told,omitempty"`
}

// Find returns what was told of the same story as t: an article of the same
// story or, where one of the two has none, with a near sketch. An article is no
// repeat of itself.
func (m *Memory) Find(t Told) (Told, bool) {
	for _, old := range m.Told {
		if old.Article == t.Article || t.At-old.At > int64(MaxAge/time.Second) {
			continue
		}
		if t.Story != "" && old.Story != "" {
			if t.Story == old.Story {
				return old, true
			}
			continue
		}
		if Near(t.Sketch, old.Sketch) {
			return old, true
		}
	}
	return Told{}, false
}

// Has reports whether an article is remembered.
func (m *Memory) Has(article string) bool {
	for _, old := range m.Told {
		if old.Article == article {
			return true
		}
	}
	return false
}

// Add remembers t, and forgets what is too old or too much. What can never be
// found is not kept.
func (m *Memory) Add(t Told) {
	if t.Story == "" && t.Sketch == "" {
		return
	}
	kept := m.Told[:0]
	for _, old := range m.Told {
		if t.At-old.At <= int64(MaxAge/time.Second) {
			kept = append(kept, old)
		}
	}
	m.Told = append(kept, t)
	if n := len(m.Told) - MaxTold; n > 0 {
		m.Told = append([]Told(nil), m.Told[n:]...)
	}
}
