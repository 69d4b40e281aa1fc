package news

import (
	"encoding/json"
	"fmt"
	"time"
)

// SourceStatus says how a source is doing.
type SourceStatus string

// The statuses of a source.
const (
	// SourcePending has not been polled yet.
	SourcePending SourceStatus = "pending"
	// SourceOK answered its last poll with entries, or with "not modified".
	SourceOK SourceStatus = "ok"
	// SourceEmpty answered, but without a single entry.
	SourceEmpty SourceStatus = "empty"
	// SourceStale answers, but its newest entry is older than its rhythm allows.
	SourceStale SourceStatus = "stale"
	// SourceLimited is told to wait by the publisher (429 or 503).
	SourceLimited SourceStatus = "rate-limited"
	// SourceDenied may not be read: robots.txt forbids it.
	SourceDenied SourceStatus = "robots-denied"
	// SourceFailing did not answer, or with something that is not a feed or page.
	SourceFailing SourceStatus = "failing"
	// SourceDisabled is present but switched off, for the reason in Reason.
	SourceDisabled SourceStatus = "disabled"
)

// SourceState is what the crawler knows of one source; the crawler writes it to
// the KV bucket "sources" after every poll, the api reads it there.
type SourceState struct {
	Version int    `json:"v"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	// URL is the publisher's home page.
	URL     string `json:"url,omitempty"`
	Lang    string `json:"lang,omitempty"`
	Script  string `json:"script,omitempty"`
	Country string `json:"country,omitempty"`
	Enabled bool   `json:"enabled"`
	// Reason says why the source is disabled.
	Reason string       `json:"reason,omitempty"`
	Status SourceStatus `json:"status"`
	// LastPoll is when the source was last asked, LastSuccess when it last
	// answered as it should, NextPoll when it is due again.
	LastPoll    time.Time `json:"last_poll,omitzero"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	NextPoll    time.Time `json:"next_poll,omitzero"`
	// LastError and Hint tell what went wrong in the last poll and what to do.
	LastError string `json:"last_error,omitempty"`
	Hint      string `json:"hint,omitempty"`
	// Failures counts the polls that failed since the last success.
	Failures int `json:"failures,omitempty"`
	// Items is the number of entries in the last poll, New how many of them were
	// not known before.
	Items int `json:"items"`
	New   int `json:"new"`
	// NewestEntry is the newest time any entry was published.
	NewestEntry time.Time `json:"newest_entry,omitzero"`
	// Articles counts the pages published since the source is known, Denied the
	// addresses that robots.txt kept us from, Failed the pages in quarantine.
	Articles int64 `json:"articles"`
	Denied   int64 `json:"denied,omitempty"`
	Failed   int64 `json:"failed,omitempty"`
	// Ways are the addresses the source is read by, each with its own state.
	Ways []WayState `json:"ways,omitempty"`
	// Lag is how long after their publication new entries are found, on average of
	// the last ones.
	Lag Duration `json:"lag,omitempty"`
	// Added says that the source is not from the file of sources: it was added
	// while the system ran, and can be removed so. ChangedBy says who switched it
	// on or off, or added it, last.
	Added     bool   `json:"added,omitempty"`
	ChangedBy string `json:"changed_by,omitempty"`
	// Updated is when this state was written.
	Updated time.Time `json:"updated"`
}

// WayState is the state of one way into a source: a feed, a sitemap, a list page
// or a single page.
type WayState struct {
	// Kind is "feed", "sitemap", "list_page" or "url".
	Kind string `json:"kind"`
	URL  string `json:"url"`
	// MovedTo is where the address permanently redirects to.
	MovedTo string       `json:"moved_to,omitempty"`
	Status  SourceStatus `json:"status"`
	// HTTPStatus is the last answer's status, 0 if there was none.
	HTTPStatus int       `json:"http_status,omitempty"`
	LastPoll   time.Time `json:"last_poll,omitzero"`
	NextPoll   time.Time `json:"next_poll,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
	Hint       string    `json:"hint,omitempty"`
	Items      int       `json:"items"`
	New        int       `json:"new"`
	// NotModified says that the last answer was 304.
	NotModified bool `json:"not_modified,omitempty"`
	// NewestEntry is the newest time an entry was published.
	NewestEntry time.Time `json:"newest_entry,omitzero"`
}

// ParseSourceState reads the JSON form of a source's state.
func ParseSourceState(data []byte) (*SourceState, error) {
	var s SourceState
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("source state: %w", err)
	}
	if s.Version > Version {
		return nil, fmt.Errorf("source state %s: version %d: %w", s.ID, s.Version, ErrVersion)
	}
	return &s, nil
}
