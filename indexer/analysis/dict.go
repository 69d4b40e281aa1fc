package analysis

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"
)

//go:generate go run gen.go

// wordList is the dictionary zh_s of github.com/go-ego/gse as gen.go writes it.
// Loading it through gse took 1.6 s and 128 MB at every start; so it is made flat
// beforehand.
//
//go:embed gse/words.txt.gz
var wordList []byte

// dict is a trie over runes with the log probability of each word. It is a hash
// table of edges: lookups touch one cache line each, and words can be added.
type dict struct {
	// first leads from the root along the runes of the basic plane.
	first [1 << 16]uint32
	// edges is an open-addressed table of node, rune and child, 21 bits each.
	edges []uint64
	shift uint
	used  int
	// weights holds, for each node, the log probability of the word that ends
	// there, 0 if none does.
	weights []float32
	// total is the log of the sum of all frequencies.
	total float64
	// rarity is, per rune of the basic plane, the log probability of it.
	rarity []float32
}

const edgeBits = 21

// loadDict builds the trie from the word list.
func loadDict() (*dict, error) {
	z, err := gzip.NewReader(bytes.NewReader(wordList))
	if err != nil {
		return nil, fmt.Errorf("word list: %w", err)
	}
	text := make([]byte, 0, 5<<20)
	buf := bytes.NewBuffer(text)
	if _, err := io.Copy(buf, z); err != nil {
		return nil, fmt.Errorf("word list: %w", err)
	}
	return parseDict(buf.Bytes())
}

// parseDict reads the sorted word list. As it is sorted, the path to a word
// shares its beginning with the path to the one before.
func parseDict(text []byte) (*dict, error) {
	head, text, _ := bytes.Cut(text, []byte("\n"))
	total, err := strconv.ParseFloat(string(head), 64)
	if err != nil {
		return nil, fmt.Errorf("word list: first line: %w", err)
	}
	d := &dict{
		edges: make([]uint64, 1<<20), shift: 64 - 20,
		weights: make([]float32, 1, 530_000),
		total:   math.Log(total),
		rarity:  make([]float32, 1<<16),
	}
	var (
		path  [64]uint32 // nodes along the word before
		runes [64]rune   // its runes
		depth int
	)
	for len(text) > 0 {
		n := bytes.IndexByte(text, '\n')
		if n < 0 {
			n = len(text)
		}
		line := text[:n]
		text = text[min(n+1, len(text)):]
		space := bytes.LastIndexByte(line, ' ')
		if space <= 0 {
			return nil, fmt.Errorf("word list: %q is not a word with a frequency", line)
		}
		freq := 0
		for _, c := range line[space+1:] {
			freq = freq*10 + int(c-'0')
		}
		i, same := 0, true
		for word := line[:space]; len(word) > 0; i++ {
			r, size := utf8.DecodeRune(word)
			word = word[size:]
			if i == len(path) {
				return nil, fmt.Errorf("word list: %q is too long", line)
			}
			if r < 1<<16 {
				d.rarity[r] += float32(freq)
			}
			if same = same && i < depth && runes[i] == r; same {
				continue
			}
			node := uint32(0)
			if i > 0 {
				node = path[i-1]
			}
			runes[i], path[i] = r, d.grow(node, r)
		}
		depth = i
		d.weights[path[i-1]] = float32(math.Log(float64(freq)) - d.total)
	}
	for r, freq := range d.rarity {
		d.rarity[r] = float32(math.Log(float64(freq)+1) - d.total)
	}
	return d, nil
}

// slot returns where the search for the edge from node along r begins.
func (d *dict) slot(node uint32, r rune) uint64 {
	return (uint64(node)<<edgeBits | uint64(r)) * 0x9E3779B97F4A7C15 >> d.shift
}

// next returns the node that r leads to from node, 0 if there is none. The root
// is 0.
func (d *dict) next(node uint32, r rune) uint32 {
	if node == 0 && r < 1<<16 {
		return d.first[r]
	}
	key := uint64(node)<<edgeBits | uint64(r)
	mask := uint64(len(d.edges) - 1)
	for i := d.slot(node, r); ; i++ {
		e := d.edges[i&mask]
		if e == 0 {
			return 0
		}
		if e>>edgeBits == key {
			return uint32(e & (1<<edgeBits - 1))
		}
	}
}

// grow adds an edge that does not exist yet and returns its new node.
func (d *dict) grow(node uint32, r rune) uint32 {
	child := uint32(len(d.weights))
	d.weights = append(d.weights, 0)
	if node == 0 && r < 1<<16 {
		d.first[r] = child
		return child
	}
	if d.used++; d.used > len(d.edges)*3/4 {
		d.double()
	}
	d.place(uint64(node)<<(2*edgeBits) | uint64(r)<<edgeBits | uint64(child))
	return child
}

func (d *dict) place(e uint64) {
	mask := uint64(len(d.edges) - 1)
	i := (e >> edgeBits) * 0x9E3779B97F4A7C15 >> d.shift
	for d.edges[i&mask] != 0 {
		i++
	}
	d.edges[i&mask] = e
}

func (d *dict) double() {
	old := d.edges
	d.edges = make([]uint64, 2*len(old))
	d.shift--
	for _, e := range old {
		if e != 0 {
			d.place(e)
		}
	}
}

// add gives word the log probability weight, unless it has a higher one.
func (d *dict) add(word []rune, weight float64) {
	node := uint32(0)
	for _, r := range word {
		child := d.next(node, r)
		if child == 0 {
			child = d.grow(node, r)
		}
		node = child
	}
	if w := d.weights[node]; w == 0 || w < float32(weight) {
		d.weights[node] = float32(weight)
	}
}
