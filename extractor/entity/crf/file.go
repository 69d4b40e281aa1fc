package crf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"
)

// fill makes the table of features.
func (m *Model) fill(features map[uint32][]int8) {
	m.room(len(features))
	for _, f := range slices.Sorted(maps.Keys(features)) {
		r := m.put(f) * m.width
		for y, w := range features[f] {
			m.setWeight(r, y, w)
		}
	}
}

// room makes a table for n features.
func (m *Model) room(n int) {
	size := 1 << max(4, bits.Len(uint(n+n/3)))
	m.width = (m.labels + 7) / 8
	m.keys, m.rows = make([]uint32, size), make([]uint64, size*m.width)
	m.shift = uint(32 - bits.Len(uint(size-1)))
}

// put returns the slot of a new feature.
func (m *Model) put(f uint32) int {
	i := m.slot(f)
	for m.keys[i] != 0 {
		i = (i + 1) & (len(m.keys) - 1)
	}
	m.keys[i] = f
	return i
}

// Pack writes m: kinds, scale, weights of moves, and the features in order, each
// as the distance from the one before and its weights.
func (m *Model) Pack(w io.Writer) error {
	type feature struct {
		key uint32
		at  int
	}
	var list []feature
	for i, f := range m.keys {
		if f != 0 {
			list = append(list, feature{f, i})
		}
	}
	slices.SortFunc(list, func(a, b feature) int { return int(int64(a.key) - int64(b.key)) })
	out := []byte{byte(m.kinds)}
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(m.scale))
	for _, t := range m.trans {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(t))
	}
	out = binary.LittleEndian.AppendUint32(out, uint32(len(list)))
	last := uint32(0)
	for _, f := range list {
		out = binary.AppendUvarint(out, uint64(f.key-last))
		last = f.key
	}
	// The weights of one label lie together, which packs better.
	for y := range m.labels {
		for _, f := range list {
			out = append(out, byte(m.weight(f.at*m.width, y)))
		}
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}

var errModel = errors.New("model file is damaged: fit it again")

// Unpack reads what Pack wrote and returns what follows it.
func Unpack(data []byte) (*Model, []byte, error) {
	if len(data) < 5 || data[0] == 0 || data[0] > 60 {
		return nil, nil, errModel
	}
	m := &Model{kinds: int(data[0]), labels: 1 + 4*int(data[0])}
	m.scale = math.Float32frombits(binary.LittleEndian.Uint32(data[1:]))
	data = data[5:]
	if len(data) < 4*m.labels*m.labels+4 {
		return nil, nil, errModel
	}
	m.moves = moves(m.labels)
	m.trans = make([]float32, m.labels*m.labels)
	for i := range m.trans {
		m.trans[i] = math.Float32frombits(binary.LittleEndian.Uint32(data))
		data = data[4:]
	}
	n := int(binary.LittleEndian.Uint32(data))
	if data = data[4:]; n > len(data) {
		return nil, nil, errModel
	}
	m.room(n)
	slots := make([]int, n)
	key := uint64(0)
	for i := range slots {
		step, k := binary.Uvarint(data)
		if key += step; k <= 0 || step == 0 || key > math.MaxUint32 {
			return nil, nil, errModel
		}
		data = data[k:]
		slots[i] = m.put(uint32(key))
	}
	if len(data) < n*m.labels {
		return nil, nil, errModel
	}
	for y := range m.labels {
		for i, s := range slots {
			m.setWeight(s*m.width, y, int8(data[i]))
		}
		data = data[n:]
	}
	return m, data, nil
}
