package tagger

import (
	"encoding/binary"
	"errors"
	"maps"
	"math/bits"
	"slices"
)

// Words is a set of words by their hashes, each with a class from 1 to 255.
type Words struct {
	keys    []uint32
	classes []uint8
	shift   uint
}

// NewWords returns the set of words with their classes.
func NewWords(words map[string]uint8) *Words {
	byKey := make(map[uint32]uint8, len(words))
	for _, w := range slices.Sorted(maps.Keys(words)) {
		if k := keyOf(w); byKey[k] == 0 {
			byKey[k] = words[w]
		}
	}
	w := new(Words)
	w.room(len(byKey))
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		w.put(k, byKey[k])
	}
	return w
}

// keyOf hashes a word as chineseWords and englishWords do step by step.
func keyOf(word string) uint32 {
	key := uint32(0)
	for _, u := range cut(nil, word, 0, len(word), func(int) bool { return false }) {
		key = join(key, u.hash)
	}
	return spread(key) | 1
}

func (w *Words) room(n int) {
	size := 1 << max(4, bits.Len(uint(n+n/3)))
	w.keys, w.classes = make([]uint32, size), make([]uint8, size)
	w.shift = uint(32 - bits.Len(uint(size-1)))
}

func (w *Words) put(key uint32, class uint8) {
	i := int(key * 0x9e3779b1 >> w.shift)
	for w.keys[i] != 0 {
		i = (i + 1) & (len(w.keys) - 1)
	}
	w.keys[i], w.classes[i] = key, class
}

// class returns the class of the word with a key, 0 if it is none.
func (w *Words) class(key uint32) uint8 {
	for i := int(key * 0x9e3779b1 >> w.shift); w.keys[i] != 0; i = (i + 1) & (len(w.keys) - 1) {
		if w.keys[i] == key {
			return w.classes[i]
		}
	}
	return 0
}

// pack appends w to out.
func (w *Words) pack(out []byte) []byte {
	order := make([]int, 0, len(w.keys))
	for i, k := range w.keys {
		if k != 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return int(int64(w.keys[a]) - int64(w.keys[b])) })
	out = binary.LittleEndian.AppendUint32(out, uint32(len(order)))
	last := uint32(0)
	for _, i := range order {
		out = binary.AppendUvarint(out, uint64(w.keys[i]-last))
		last = w.keys[i]
	}
	for _, i := range order {
		out = append(out, w.classes[i])
	}
	return out
}

func unpackWords(data []byte) (*Words, error) {
	bad := errors.New("word list of the model file is damaged: fit it again")
	if len(data) < 4 {
		return nil, bad
	}
	n := int(binary.LittleEndian.Uint32(data))
	if data = data[4:]; n > len(data) {
		return nil, bad
	}
	w := new(Words)
	w.room(n)
	keys := make([]uint32, n)
	key := uint64(0)
	for i := range keys {
		step, k := binary.Uvarint(data)
		if key += step; k <= 0 || step == 0 || key > 1<<32-1 {
			return nil, bad
		}
		keys[i], data = uint32(key), data[k:]
	}
	if len(data) != n {
		return nil, bad
	}
	for i, k := range keys {
		w.put(k, data[i])
	}
	return w, nil
}
