package tagger

import (
	"bytes"
	_ "embed"
	"sync"
)

//go:embed data/zh.tagger
var chineseData []byte

//go:embed data/en.tagger
var englishData []byte

// The kinds of names of the built-in taggers.
const (
	Person = iota
	Org
	Place
	Thing // a product or technology: told apart, so that none is taken for another kind
	Kinds
)

var (
	loadChinese = sync.OnceValues(func() (*Tagger, error) { return Read(bytes.NewReader(chineseData)) })
	loadEnglish = sync.OnceValues(func() (*Tagger, error) { return Read(bytes.NewReader(englishData)) })
)

// Builtin returns the tagger of a language that is part of the program. Its kinds
// are Person, Org, Place and Thing.
func Builtin(l Language) (*Tagger, error) {
	if l == Chinese {
		return loadChinese()
	}
	return loadEnglish()
}
