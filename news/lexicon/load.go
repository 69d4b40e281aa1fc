package lexicon

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed data/*.yaml
var data embed.FS

// Builtin returns the entities of the embedded data files.
func Builtin() (*Lexicon, error) { return Load() }

// Load returns the built-in entities and those of the files *.yaml and *.yml in
// dirs. A directory that does not exist yet is an empty one. If anything is
// wrong in the files the error is of type Faults and has all of it.
func Load(dirs ...string) (*Lexicon, error) {
	files, err := readBuiltin()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		more, err := readDir(dir)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	l, faults := build(files)
	if len(faults) > 0 {
		return nil, faults
	}
	return l, nil
}

// Check returns all that is wrong with the built-in entities together with the
// files in dirs, as Load would.
func Check(dirs ...string) error {
	_, err := Load(dirs...)
	return err
}

// file is a lexicon file in memory.
type file struct {
	name string // BuiltIn + "/" + base name, or the path
	data []byte
}

func readBuiltin() ([]file, error) {
	entries, err := data.ReadDir("data")
	if err != nil {
		return nil, fmt.Errorf("built-in lexicon: %w", err)
	}
	files := make([]file, len(entries))
	for i, e := range entries {
		content, err := data.ReadFile("data/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("built-in lexicon: %w", err)
		}
		files[i] = file{BuiltIn + "/" + e.Name(), content}
	}
	return files, nil
}

func readDir(dir string) ([]file, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lexicon directory: %w", err)
	}
	var files []file
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); strings.HasPrefix(name, ".") || ext != ".yaml" && ext != ".yml" {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("lexicon file: %w", err)
		}
		if info.IsDir() {
			continue
		}
		if info.Size() > MaxFileBytes {
			return nil, Faults{{path, 1, fmt.Sprintf("file has more than %d bytes", MaxFileBytes), "split it"}}
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("lexicon file: %w", err)
		}
		files = append(files, file{path, content})
	}
	return files, nil
}

// build parses, merges and checks files, in this order of precedence.
func build(files []file) (*Lexicon, Faults) {
	parsed := make([][]entry, len(files))
	faults := make([]Faults, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() {
			parsed[i], faults[i] = parse(f.name, f.data)
			for j := range parsed[i] {
				faults[i] = append(faults[i], checkEntry(&parsed[i][j])...)
			}
		})
	}
	wg.Wait()
	all := slices.Concat(faults...)
	m := newMerger()
	for _, entries := range parsed {
		for i := range entries {
			m.add(&entries[i])
		}
	}
	entities, more := m.finish()
	if all = append(all, more...); len(all) > 0 {
		slices.SortStableFunc(all, func(a, b Fault) int {
			return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
		})
		return nil, slices.Compact(all)
	}
	return newLexicon(entities), nil
}
