package bus

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Streams.
const (
	// Frontier holds what to fetch, each message until it is acked.
	Frontier = "FRONTIER"
	// Pages holds fetched pages for some days.
	Pages = "PAGES"
	// Articles holds every article for good: what an index is rebuilt from.
	Articles = "ARTICLES"
	// Alerts holds matches of rules.
	Alerts = "ALERTS"
	// Quarantine holds every message that failed for good, with its reason.
	Quarantine = "QUARANTINE"
)

// ConsumerPercolator is the durable consumer of ARTICLES that rules are matched
// by. It is made with the stream, so that in a new system no article comes before
// it, in whatever order services start.
const ConsumerPercolator = "percolator"

// Subjects, each followed by one token (see Token).
const (
	SubjectFetch      = "xinwen.frontier.fetch."    // + host
	SubjectSchedule   = "xinwen.frontier.schedule." // + ID: timers of PublishAt
	SubjectPages      = "xinwen.pages."             // + source
	SubjectArticles   = "xinwen.articles."          // + source
	SubjectAlerts     = "xinwen.alerts."            // + rule
	SubjectQuarantine = "xinwen.quarantine."        // + service
)

// Subjects of requests.
const (
	SubjectDiscover = "xinwen.crawler.discover" // news.Way → news.Discovery
	SubjectVerify   = "xinwen.crawler.verify"   // ID of a source → news.Verification
	SubjectDefine   = "xinwen.crawler.define"   // news.SourceDraft → news.SourceChange
)

// Key-value buckets.
const (
	KVSources    = "sources"    // state of each source, for the api
	KVFeeds      = "feeds"      // state of each feed: validators, next poll
	KVHosts      = "hosts"      // next allowed fetch, robots, leases
	KVSeen       = "seen"       // URL → what is known of it
	KVRules      = "rules"      // alert rules
	KVDeliveries = "deliveries" // log of deliveries
	KVErased     = "erased"     // articles that must not come back
	KVParts      = "parts"      // articles of several pages, as far as they are there
	KVMemory     = "memory"     // what the pages of a host have in common
	KVKeys       = "keys"       // keys of the api (hashes), and who is logged in

	KVSourceChanges = "source-changes" // sources added, and switched on or off
)

// KeyNoRule is a key of KVRules that no rule has. An api marks it in a bucket
// that has never had a rule: the percolator of a new system waits for the word of
// an api, so that the first article is matched by the first rules, whichever
// service starts first.
const KeyNoRule = "="

// Headers of messages.
const (
	HeaderURL       = "Xinwen-Url"       // canonical URL the message is about
	HeaderClaim     = "Xinwen-Claim"     // bucket/name of the object that holds the data
	HeaderService   = "Xinwen-Service"   // in QUARANTINE: who gave up
	HeaderConsumer  = "Xinwen-Consumer"  // in QUARANTINE: the durable consumer
	HeaderReason    = "Xinwen-Reason"    // in QUARANTINE: the error
	HeaderHint      = "Xinwen-Hint"      // in QUARANTINE: what to do
	HeaderSubject   = "Xinwen-Subject"   // in QUARANTINE: the original subject
	HeaderStream    = "Xinwen-Stream"    // in QUARANTINE: the original stream
	HeaderSequence  = "Xinwen-Sequence"  // in QUARANTINE: the original sequence
	HeaderAttempts  = "Xinwen-Attempts"  // in QUARANTINE: failed tries
	HeaderMessageID = "Xinwen-Id"        // in QUARANTINE: the original Nats-Msg-Id
	headerEncoding  = "Content-Encoding" // "zstd" on pages
)

const maxName = 120

// Token turns any string into one subject token. Equal tokens mean equal
// strings: "." becomes "_", and what a token cannot hold (also "_") is escaped.
func Token(s string) string {
	return escape(s, func(r rune) bool {
		return r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}, '.', '_')
}

// Key turns any string into a valid key of a bucket. Equal keys mean equal
// strings.
func Key(s string) string {
	return escape(s, func(r rune) bool {
		return r < utf8.RuneSelf && (r == '-' || r == '_' || r == '/' || unicode.IsLetter(r) || unicode.IsDigit(r))
	}, utf8.RuneError, 0)
}

// escape keeps what keep allows, maps from to to, and writes other bytes as
// "=XX". Long results end in a hash instead.
func escape(s string, keep func(rune) bool, from, to rune) string {
	if s == "" {
		return "="
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError:
			fmt.Fprintf(&b, "=%02X", s[i])
			n = 1
		case r == from:
			b.WriteRune(to)
		case keep(r):
			b.WriteRune(r)
		default:
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, "=%02X", c)
			}
		}
		i += n
	}
	out := b.String()
	if len(out) <= maxName {
		return out
	}
	cut := maxName - 34
	for !utf8.RuneStart(out[cut]) {
		cut--
	}
	return out[:cut] + "==" + hash([]byte(s))
}

// hash returns 32 characters of the SHA-256 of the parts, each with its length.
func hash(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)[:20]))
}

// streamOf returns the stream that holds subject.
func streamOf(subject string) (string, error) {
	for _, s := range streams {
		if strings.HasPrefix(subject, s.prefix) && len(subject) > len(s.prefix) {
			return s.name, nil
		}
	}
	return "", Permanent(fmt.Errorf("subject %q belongs to no stream", subject))
}
