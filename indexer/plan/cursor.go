package plan

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"xinwen/indexer/search"
)

// Position is the sort key of a hit: where a page ends and the next begins.
type Position struct {
	Key float64 // the score, or the time in microseconds since 1970
	ID  string
}

// queryHash ties a cursor to the request it came from.
func queryHash(r search.Request) uint32 {
	r.Cursor, r.Size, r.Facets, r.Explain = "", 0, nil, false
	// Requests consist of strings and times: they can be marshalled.
	data, _ := json.Marshal(r)
	sum := sha256.Sum256(data)
	return binary.BigEndian.Uint32(sum[:])
}

// Cursor returns the cursor for what follows at. It also holds the relaxation
// that the first page ended with, so that all pages are of one list.
func (p *Plan) Cursor(match string, at Position) string {
	b := binary.BigEndian.AppendUint32(nil, p.hash)
	b = append(b, matchCodes[match])
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(at.Key))
	b = append(b, at.ID...)
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeCursor(cursor string, hash uint32) (p Position, match string, err error) {
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
	p.Key = math.Float64frombits(binary.BigEndian.Uint64(b[5:]))
	if match == "" || math.IsNaN(p.Key) {
		return p, "", invalid("is not one that this service gave")
	}
	p.ID = string(b[13:])
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
