package bleve

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"xinwen/indexer/search"
)

// position is the sort key of a hit: where a page ends and the next begins.
type position struct {
	key float64 // the score, or the time in milliseconds
	id  string
}

// queryHash ties a cursor to the request it came from.
func queryHash(r search.Request) uint32 {
	r.Cursor, r.Size, r.Facets, r.Explain = "", 0, nil, false
	// Requests consist of strings and times: they can be marshalled.
	data, _ := json.Marshal(r)
	sum := sha256.Sum256(data)
	return binary.BigEndian.Uint32(sum[:])
}

// encodeCursor returns the cursor for what follows p. It also holds the
// relaxation that the first page ended with, so that all pages are of one list.
func encodeCursor(hash uint32, match string, p position) string {
	b := binary.BigEndian.AppendUint32(nil, hash)
	b = append(b, matchCodes[match])
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(p.key))
	b = append(b, p.id...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(cursor string, hash uint32) (p position, match string, err error) {
	invalid := func(message string) error {
		return &search.RequestError{
			Field: "cursor", Message: message,
			Hint: "begin again without a cursor and pass next_cursor on as it is, with the same query, filters and sort",
		}
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(b) < 13 {
		return p, "", invalid("is not one that this service gave")
	}
	if binary.BigEndian.Uint32(b) != hash {
		return p, "", invalid("belongs to another query")
	}
	match = matchName(b[4])
	p.key = math.Float64frombits(binary.BigEndian.Uint64(b[5:]))
	if match == "" || math.IsNaN(p.key) {
		return p, "", invalid("is not one that this service gave")
	}
	p.id = string(b[13:])
	return p, match, nil
}

// matchCodes stand for the ways of matching in a cursor.
var matchCodes = map[string]byte{search.MatchAll: 'l', search.MatchAny: 'y'}

func matchName(code byte) string {
	for name, c := range matchCodes {
		if c == code {
			return name
		}
	}
	return ""
}
