package bleve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
)

func numbered(i int) *news.Article {
	return &news.Article{
		Version: news.Version, ID: fmt.Sprintf("article%06d", i), Revision: int64(i), Source: "demo", Lang: "zh", Script: news.ScriptHans,
		Title: fmt.Sprintf("第%d条", i), Text: strings.Repeat("晶圆厂的先进封装产能翻倍。", 20),
		Fetched: time.UnixMilli(int64(i)).UTC(),
	}
}

func TestSecondOpenerIsToldWhatToDo(t *testing.T) {
	dir := t.TempDir()
	openTest(t, dir)
	_, err := Open(testOptions(t, dir))
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "stop the other process") {
		t.Errorf("got %v, want ErrLocked with a hint", err)
	}
}

func TestUnwritableDirectoryIsToldWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(testOptions(t, file))
	if err == nil || !strings.Contains(err.Error(), "choose a data directory") {
		t.Errorf("got %v, want an error with a hint", err)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 { // the first time it is closed empty
		x, err := Open(testOptions(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		seq, err := x.AppliedSeq()
		if err != nil || seq != uint64(max(round-1, 0)) {
			t.Errorf("round %d: applied_seq %d, %v", round, seq, err)
		}
		if round > 0 {
			write(t, x, uint64(round), numbered(round))
		}
		if err := x.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "*.corrupt")); len(aside) > 0 {
		t.Errorf("a sound index was moved aside: %v", aside)
	}
}

func TestClosedIndexSaysSo(t *testing.T) {
	x, err := Open(testOptions(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	_, searchErr := x.Search(t.Context(), search.Request{Query: "芯片"})
	_, articleErr := x.Article(t.Context(), "x")
	_, statusErr := x.Status(t.Context())
	_, countErr := x.Count(t.Context(), search.CountRequest{Edges: []time.Time{{}, time.Now()}})
	for name, err := range map[string]error{
		"search": searchErr, "article": articleErr, "status": statusErr, "count": countErr,
		"write": x.Write(t.Context(), 1, nil), "flush": x.Flush(t.Context()),
	} {
		if !errors.Is(err, search.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", name, err)
		}
	}
}

func TestDamagedIndexIsMovedAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"segment_cut": func(t *testing.T, path string) {
			segments, err := filepath.Glob(filepath.Join(path, "*.zap"))
			if err != nil || len(segments) == 0 {
				t.Fatalf("no segments: %v", err)
			}
			for _, s := range segments {
				if err := os.Truncate(s, 100); err != nil {
					t.Fatal(err)
				}
			}
		},
		"segment_gone": func(t *testing.T, path string) {
			segments, _ := filepath.Glob(filepath.Join(path, "*.zap"))
			for _, s := range segments {
				if err := os.Remove(s); err != nil {
					t.Fatal(err)
				}
			}
		},
		"root_overwritten": func(t *testing.T, path string) {
			if err := os.WriteFile(filepath.Join(path, "root.bolt"), []byte(strings.Repeat("garbage ", 2000)), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x, err := Open(testOptions(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			write(t, x, 1, numbered(1))
			if err := errors.Join(x.Flush(t.Context()), x.Close()); err != nil {
				t.Fatal(err)
			}
			damage(t, x.Path())
			fresh := openTest(t, dir)
			if seq, err := fresh.AppliedSeq(); err != nil || seq != 0 {
				t.Errorf("applied_seq: got %d, %v, want 0: the index must be built anew", seq, err)
			}
			// Scorch may still have the snapshot before: then nothing is lost but
			// what is read again.
			if _, err := os.Stat(x.Path() + ".corrupt"); err != nil && name == "root_overwritten" {
				t.Errorf("the damaged index is not kept: %v", err)
			}
			write(t, fresh, 1, numbered(1))
		})
	}
}

const killDir = "XINWEN_TEST_KILL_DIR"

// TestMain runs the writer that TestKillLosesNothing kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled goes on where the index in dir ends and prints the sequence
// after each batch.
func writeUntilKilled(dir string) error {
	o, err := fixture()
	if err != nil {
		return err
	}
	o.Dir = dir
	x, err := Open(o)
	if err != nil {
		return err
	}
	seq, err := x.AppliedSeq()
	if err != nil {
		return err
	}
	fmt.Println(seq)
	r := rand.New(rand.NewPCG(seq, 0))
	for {
		var ops []Op
		for range 1 + r.IntN(30) {
			seq++
			a := numbered(int(seq))
			data, err := json.Marshal(a)
			if err != nil {
				return err
			}
			ops = append(ops, Op{Article: a, Data: data, Time: a.Fetched})
		}
		if err := x.Write(context.Background(), seq, ops); err != nil {
			return err
		}
		fmt.Println(seq)
	}
}

// TestKillLosesNothing kills a writing process at random moments; each time the
// index must hold exactly the articles up to its sequence.
func TestKillLosesNothing(t *testing.T) {
	kills := 3
	if testing.Short() {
		kills = 2
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	last := uint64(0)
	for kill := range kills {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var timer *time.Timer
		for lines.Scan() {
			if timer == nil { // it is open
				timer = time.AfterFunc(time.Duration(rand.IntN(300))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the writer ended by itself")
		}
		if timer == nil {
			t.Fatal("the writer did not open the index")
		}
		last = checkWhole(t, dir, kill, last)
	}
	if last == 0 {
		t.Error("nothing was ever on disk")
	}
	t.Logf("%d articles after %d kills", last, kills)
}

// checkWhole expects the index to hold articles 1 to applied_seq, each once.
func checkWhole(t *testing.T, dir string, kill int, before uint64) uint64 {
	t.Helper()
	x, err := Open(testOptions(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	seq, err := x.AppliedSeq()
	if err != nil {
		t.Fatal(err)
	}
	if seq < before {
		t.Errorf("kill %d: applied_seq went back from %d to %d", kill, before, seq)
	}
	r := search.Request{Sort: search.SortOldest, Size: search.MaxSize}
	want := 1
	for seq > 0 {
		res, err := x.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if res.Total != seq {
			t.Fatalf("kill %d: %d articles, want %d", kill, res.Total, seq)
		}
		for _, h := range res.Hits {
			if id := fmt.Sprintf("article%06d", want); h.ID != id {
				t.Fatalf("kill %d: got %s, want %s", kill, h.ID, id)
			}
			want++
		}
		if r.Cursor = res.NextCursor; r.Cursor == "" {
			break
		}
	}
	if uint64(want-1) != seq {
		t.Errorf("kill %d: %d articles listed, want %s", kill, want-1, strconv.FormatUint(seq, 10))
	}
	return seq
}
