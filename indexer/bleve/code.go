package bleve

import (
	"sync"
	"unicode/utf8"
)

// A Chinese character takes three bytes in UTF-8. In a stream the most frequent
// ones take one and the others of the Unified Ideographs two, so that a text
// takes half the space. No code is the beginning of another one, and none has
// a mark or the byte 0xff in it, which ends a doc value.

// frequent are the characters of one byte, in folded form.
const frequent = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量"

const (
	oneByte   = 0x20 // the code of the first of frequent
	twoBytes  = 0x80 // begins the codes of two bytes
	escape    = 0xfe // before a character in UTF-8
	secondLow = 0x20 // the lowest second byte
	perFirst  = 0xff - secondLow
	firstRune = 0x4e00 // of the block that takes two bytes
	lastRune  = 0x9fff
)

var frequentCodes = sync.OnceValue(func() map[rune]byte {
	codes := make(map[rune]byte)
	for _, r := range frequent {
		if len(codes) < twoBytes-oneByte {
			codes[r] = byte(oneByte + len(codes))
		}
	}
	return codes
})

// appendCode appends the code of a character to dst.
func appendCode(dst []byte, r rune) []byte {
	if c, ok := frequentCodes()[r]; ok {
		return append(dst, c)
	}
	if firstRune <= r && r <= lastRune {
		n := int(r - firstRune)
		return append(dst, byte(twoBytes+n/perFirst), byte(secondLow+n%perFirst))
	}
	return utf8.AppendRune(append(dst, escape), r)
}

// codeLength returns the length of the code that data begins with.
func codeLength(data []byte) int {
	switch c := data[0]; {
	case c < twoBytes:
		return 1
	case c == escape:
		_, n := utf8.DecodeRune(data[1:])
		return min(1+n, len(data))
	}
	return min(2, len(data))
}
