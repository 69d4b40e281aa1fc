// Package sketch tells whether two articles say nearly the same, from a few
// bytes of each.
//
// A sketch holds the smallest hashes of the runs of four letters in an
// article's title and lead, in the form used for matching everywhere, so that
// one text in Hans and Hant has one sketch. Articles that share most of their
// runs share most of these hashes (a bottom-k sketch of shingles).
package sketch

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"unicode"

	"xinwen/news/han"
)

const (
	// size is the number of hashes kept: the error of an estimate is about
	// 1/√size.
	size = 48
	// run is the number of letters in a shingle.
	run = 4
	// lead is how many characters of the text count.
	lead = 240
	// least is the number of shingles below which a text says too little to
	// judge by: one dateline would make two articles the same.
	least = 6
	// near is the share of common shingles from which two texts are one.
	near = 0.5
)

// Of returns the sketch of an article, "" if it has too few letters for one.
func Of(title, text string) string {
	head := title + "\n"
	n := 0
	for i := range text {
		if n++; n > lead {
			text = text[:i]
			break
		}
	}
	letters := make([]rune, 0, len(head)+lead)
	for _, r := range han.FoldString(head + text) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			letters = append(letters, r)
		}
	}
	var hashes []uint32
	for i := 0; i+run <= len(letters); i++ {
		h := fnv.New32a()
		_, _ = h.Write([]byte(string(letters[i : i+run]))) // never fails
		hashes = append(hashes, mix(h.Sum32()))
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	if len(hashes) < least {
		return ""
	}
	hashes = hashes[:min(len(hashes), size)]
	data := make([]byte, 0, 4*len(hashes))
	for _, h := range hashes {
		data = binary.BigEndian.AppendUint32(data, h)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// mix spreads the bits of a hash, so that the smallest are a fair sample.
func mix(h uint32) uint32 {
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// Similarity estimates the share of shingles that two sketches have in common,
// from 0 to 1. It is 0 if one of them is no sketch.
func Similarity(a, b string) float64 {
	x, y := read(a), read(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	// Of the smallest hashes of both together, the share that both have.
	both, all := 0, 0
	for i, j := 0, 0; all < size && (i < len(x) || j < len(y)); all++ {
		switch {
		case j == len(y) || i < len(x) && x[i] < y[j]:
			i++
		case i == len(x) || y[j] < x[i]:
			j++
		default:
			both++
			i++
			j++
		}
	}
	return float64(both) / float64(all)
}

// Near reports whether two sketches are of articles that say nearly the same.
func Near(a, b string) bool {
	return a != "" && (a == b || Similarity(a, b) >= near)
}

func read(s string) []uint32 {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(data)%4 != 0 || len(data) > 4*size {
		return nil
	}
	hashes := make([]uint32, len(data)/4)
	for i := range hashes {
		hashes[i] = binary.BigEndian.Uint32(data[4*i:])
	}
	return hashes
}
