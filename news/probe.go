package news

import (
	"encoding/json"
	"fmt"
	"time"
)

// Tier says how far a source can be relied on, by a probe just made.
type Tier string

// The tiers, from the best to the worst.
const (
	TierOK      Tier = "ok"            // a way in was read, and is fresh
	TierStale   Tier = "stale"         // read, but nothing is new
	TierEmpty   Tier = "empty"         // read, but without entries
	TierLimited Tier = "rate-limited"  // it asks us to come later
	TierDenied  Tier = "robots-denied" // robots.txt forbids it
	TierTLS     Tier = "tls"           // its certificate does not verify
	TierBad     Tier = "bad"           // nothing could be read
)

// Kinds of ways into a source.
const (
	WayFeed     = "feed"
	WaySitemap  = "sitemap"
	WayListPage = "list_page"
	WayURL      = "url"
)

// Way is an address that a source can be read by.
type Way struct {
	// Kind is "feed", "sitemap", "list_page" or "url".
	Kind string `json:"kind"`
	URL  string `json:"url"`
}

// Probe is what was found at one way into a source.
type Probe struct {
	Way
	MovedTo string       `json:"moved_to,omitempty"`
	Tier    Tier         `json:"tier"`
	Status  SourceStatus `json:"status"`
	// HTTPStatus is the answer's, 0 if there was none.
	HTTPStatus int `json:"http_status,omitempty"`
	// Items is the number of entries, Newest when the newest was published, and
	// Titles are the first few.
	Items  int       `json:"items"`
	Newest time.Time `json:"newest,omitzero"`
	Titles []string  `json:"titles,omitempty"`
	// Validators says whether the server lets us ask "has it changed?", TTL how
	// long it wants to be left alone, Hub whether it tells of news.
	Validators bool          `json:"validators"`
	TTL        time.Duration `json:"ttl_ns,omitempty"`
	Hub        string        `json:"hub,omitempty"`
	Error      string        `json:"error,omitempty"`
	Hint       string        `json:"hint,omitempty"`
}

// Verification is what the probe of a source found.
type Verification struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"`
	Tier    Tier   `json:"tier"`
	// Items is the number of entries of the best way, Newest when its newest was
	// published.
	Items  int       `json:"items"`
	Newest time.Time `json:"newest,omitzero"`
	Ways   []Probe   `json:"ways"`
	// Found are ways that the source's home names and its definition does not.
	Found []Way  `json:"found,omitempty"`
	Took  string `json:"took"`
}

// Discovery is what was found at an address that somebody wants to follow.
type Discovery struct {
	// URL is the address that was asked for, Home the site it belongs to.
	URL  string `json:"url"`
	Home string `json:"home"`
	// ID and Name are proposals, as are Lang and Script, which are told from the
	// titles.
	ID     string `json:"id"`
	Name   string `json:"name"`
	Lang   string `json:"lang,omitempty"`
	Script string `json:"script,omitempty"`
	// Followed is the ID of a source that already follows the site.
	Followed string `json:"followed,omitempty"`
	// Candidates are ways into the site, the best first.
	Candidates []Probe `json:"candidates"`
	// Remarks say which parts of the search failed.
	Remarks []string `json:"remarks,omitempty"`
	Took    string   `json:"took"`
}

// SourceDraft asks for the definition of a new source: either Definition is one
// already, which is checked, or one is made of the rest. Without Ways those are
// taken that are found at URL.
type SourceDraft struct {
	Definition string `json:"definition,omitempty"`
	URL        string `json:"url,omitempty"`
	ID         string `json:"id,omitempty"`
	Name       string `json:"name,omitempty"`
	Lang       string `json:"lang,omitempty"`
	Script     string `json:"script,omitempty"`
	Ways       []Way  `json:"ways,omitempty"`
}

// SourceChange is what was changed of the sources while the system runs. It lies
// in the KV bucket "source-changes", which the crawler lays over its file of
// sources.
type SourceChange struct {
	Version int    `json:"v"`
	ID      string `json:"id"`
	// Enabled switches the source on or off, whatever its definition says; nil
	// leaves that alone.
	Enabled *bool `json:"enabled,omitempty"`
	// Definition is the source as in the file of sources, in YAML, of one that the
	// file does not have.
	Definition string `json:"definition,omitempty"`
	// By says who made the change, At when.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// ParseSourceChange reads the JSON form of a change.
func ParseSourceChange(data []byte) (*SourceChange, error) {
	var c SourceChange
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("source change: %w", err)
	}
	if c.Version > Version {
		return nil, fmt.Errorf("source change %s: version %d: %w", c.ID, c.Version, ErrVersion)
	}
	return &c, nil
}
