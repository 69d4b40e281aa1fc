//go:build ignore

// This program writes gse/words.txt.gz: the Simplified Chinese dictionary of gse in
// the form of package han, sorted, one word with its frequency a line. The first
// line is the sum of all frequencies.
package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-ego/gse"

	"xinwen/news/han"
)

func main() {
	seg := gse.Segmenter{SkipLog: true, NotLoadHMM: true}
	if err := seg.LoadDictEmbed("zh_s"); err != nil {
		log.Fatal(err)
	}
	words := make(map[string]float64)
	for i := range seg.Dict.Tokens {
		t := &seg.Dict.Tokens[i]
		// Of words that fold to one, the first counts, as gse has it.
		if w := han.FoldString(t.Text()); words[w] == 0 && !strings.ContainsAny(w, " \n") {
			words[w] = t.Freq()
		}
	}
	f, err := os.Create("gse/words.txt.gz")
	if err != nil {
		log.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriter(z)
	fmt.Fprintf(w, "%.0f\n", seg.Dict.TotalFreq())
	for _, word := range slices.Sorted(maps.Keys(words)) {
		fmt.Fprintf(w, "%s %.0f\n", word, words[word])
	}
	for _, close := range []func() error{w.Flush, z.Close, f.Close} {
		if err := close(); err != nil {
			log.Fatal(err)
		}
	}
}
