// Package memory remembers what the pages of a host have in common: navigation,
// notices, lines under every article. In go the blocks of page after page, out
// comes which of them are the host's rather than the article's.
//
// A block is known by its text and by the elements it stands in, so that the
// lead of an article that lists show elsewhere is another block. One page counts
// once, however often it is fetched; a page that says what an earlier one said (a
// copy under another address) does not count with its text. Memory is bounded.
package memory

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"unicode"
)

const (
	// Threshold is the number of pages from which on a block is repeated.
	Threshold = 3
	// maxBlocks bounds the blocks of a host, maxPage those of one page, maxRecent
	// the pages that are known again.
	maxBlocks = 4096
	maxPage   = 1000
	maxRecent = 256
	// usualShare is the share of the pages since a block was first seen from
	// which on it is usual.
	usualShare = 0.2
)

// Level tells how a host uses a block.
type Level uint8

// The levels. A repeated block has been on several pages: it can be a paragraph
// of background that some articles share. A usual one is on a good part of all.
const (
	Unknown Level = iota
	Repeated
	Usual
)

// Block is a block of a page.
type Block struct {
	Key uint64
	// Units is its length, Body says that it was taken for the article's.
	Units float64
	Body  bool
}

// Key returns what a block is known by: its letters and digits, and its place,
// which names the elements around it.
func Key(text, place string) uint64 {
	h := fnv.New64a()
	var buf [4]byte
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			binary.LittleEndian.PutUint32(buf[:], uint32(unicode.ToLower(r)))
			_, _ = h.Write(buf[:]) // never fails
		}
	}
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(place))
	return h.Sum64()
}

// View is what a host's memory says at one moment. It does not change.
type View struct {
	// Host is the host, Version names this state of its memory.
	Host, Version string
	levels        map[uint64]Level
}

// Level returns how the host uses a block. A nil view knows nothing.
func (v *View) Level(key uint64) Level {
	if v == nil {
		return Unknown
	}
	return v.levels[key]
}

// Name returns what an article records of the view, "" if it knows nothing.
func (v *View) Name() string {
	if v == nil || len(v.levels) == 0 {
		return ""
	}
	return v.Host + "@" + v.Version
}

// Host is the memory of one host. It is not safe for concurrent use.
type Host struct {
	name   string
	pages  uint32
	recent []uint64 // keys of the last pages, the oldest first
	blocks map[uint64]sighting
}

// sighting is how often a block was seen, and when: pages are counted.
type sighting struct{ count, first, last uint32 }

// New returns an empty memory of a host.
func New(host string) *Host { return &Host{name: host, blocks: make(map[uint64]sighting)} }

// Page is what is learned of a page.
type Page struct {
	// ID is what the page is known by: the same for all parts of an article.
	ID uint64
	// Title is that of the article, "" if unknown.
	Title  string
	Blocks []Block
}

// Name returns the host.
func (h *Host) Name() string { return h.name }

// Learn counts the blocks of a page. It reports false for a page that is known
// already.
func (h *Host) Learn(p Page) bool {
	if slices.Contains(h.recent, p.ID) {
		return false
	}
	if len(h.recent) >= maxRecent {
		h.recent = slices.Delete(h.recent, 0, len(h.recent)-maxRecent+1)
	}
	h.recent = append(h.recent, p.ID)
	h.pages++
	title := Block{Key: Key(p.Title, "title")}
	copied := h.copies(title.Key, p.Blocks)
	seen := make(map[uint64]bool, len(p.Blocks))
	for _, b := range append(slices.Clone(p.Blocks[:min(len(p.Blocks), maxPage)]), title) {
		if seen[b.Key] || b.Body && copied {
			continue
		}
		seen[b.Key] = true
		s, ok := h.blocks[b.Key]
		if !ok {
			s.first = h.pages
		}
		s.count++
		s.last = h.pages
		h.blocks[b.Key] = s
	}
	h.forget()
	return true
}

// copies reports whether a page has a title that is known and a text that has
// hardly anything new.
func (h *Host) copies(title uint64, blocks []Block) bool {
	if _, ok := h.blocks[title]; !ok {
		return false
	}
	fresh, all := 0.0, 0.0
	for _, b := range blocks {
		if !b.Body {
			continue
		}
		all += b.Units
		if _, ok := h.blocks[b.Key]; !ok {
			fresh += b.Units
		}
	}
	return all > 0 && (fresh < 20 || fresh < 0.08*all)
}

// forget drops blocks when there are too many: those seen on few pages first, of
// these the ones that were seen longest ago.
func (h *Host) forget() {
	if len(h.blocks) <= maxBlocks {
		return
	}
	keys := slices.Collect(maps.Keys(h.blocks))
	slices.SortFunc(keys, func(a, b uint64) int {
		x, y := h.blocks[a], h.blocks[b]
		if c := cmp.Compare(min(x.count, Threshold), min(y.count, Threshold)); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(x.last, y.last), cmp.Compare(a, b))
	})
	for _, k := range keys[:len(keys)-maxBlocks*7/8] {
		delete(h.blocks, k)
	}
}

// View returns what h says now.
func (h *Host) View() *View {
	v := &View{Host: h.name, levels: make(map[uint64]Level)}
	for k, s := range h.blocks {
		if s.count < Threshold {
			continue
		}
		v.levels[k] = Repeated
		if float64(s.count) >= usualShare*float64(h.pages-s.first+1) {
			v.levels[k] = Usual
		}
	}
	f := fnv.New64a()
	var buf [9]byte
	for _, k := range slices.Sorted(maps.Keys(v.levels)) {
		binary.LittleEndian.PutUint64(buf[:], k)
		buf[8] = byte(v.levels[k])
		_, _ = f.Write(buf[:]) // never fails
	}
	v.Version = fmt.Sprintf("%016x", f.Sum64())
	return v
}

// file is the JSON form of a host's memory.
type file struct {
	Version int    `json:"v"`
	Host    string `json:"host"`
	// State names the view, for people who compare it with an article's.
	State  string `json:"state"`
	Pages  uint32 `json:"pages"`
	Recent []byte `json:"recent"`
	Blocks []byte `json:"blocks"`
}

const fileVersion = 1

// MarshalJSON returns the JSON form of h, which Parse reads.
func (h *Host) MarshalJSON() ([]byte, error) {
	f := file{Version: fileVersion, Host: h.name, State: h.View().Version, Pages: h.pages}
	for _, p := range h.recent {
		f.Recent = binary.LittleEndian.AppendUint64(f.Recent, p)
	}
	for _, k := range slices.Sorted(maps.Keys(h.blocks)) {
		s := h.blocks[k]
		f.Blocks = binary.LittleEndian.AppendUint64(f.Blocks, k)
		f.Blocks = binary.AppendUvarint(f.Blocks, uint64(s.count))
		f.Blocks = binary.AppendUvarint(f.Blocks, uint64(s.first))
		f.Blocks = binary.AppendUvarint(f.Blocks, uint64(s.last))
	}
	return json.Marshal(f)
}

// Parse reads the JSON form of a host's memory.
func Parse(data []byte) (*Host, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	if f.Version != fileVersion {
		return nil, fmt.Errorf("memory of %s: version %d, this program reads %d", f.Host, f.Version, fileVersion)
	}
	h := New(f.Host)
	h.pages = f.Pages
	for b := f.Recent; len(b) >= 8 && len(h.recent) < maxRecent; b = b[8:] {
		h.recent = append(h.recent, binary.LittleEndian.Uint64(b))
	}
	for b := f.Blocks; len(b) > 0 && len(h.blocks) <= maxBlocks; {
		if len(b) < 8 {
			return nil, fmt.Errorf("memory of %s: %w", f.Host, errCut)
		}
		k := binary.LittleEndian.Uint64(b)
		b = b[8:]
		var s sighting
		for _, field := range [...]*uint32{&s.count, &s.first, &s.last} {
			x, n := binary.Uvarint(b)
			if n <= 0 || x > 1<<31 {
				return nil, fmt.Errorf("memory of %s: %w", f.Host, errCut)
			}
			*field, b = uint32(x), b[n:]
		}
		h.blocks[k] = s
	}
	return h, nil
}

var errCut = errors.New("the blocks are cut off or damaged")
