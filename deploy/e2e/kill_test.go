package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

// childEnv makes the test binary run a system instead of tests; its value is
// the setup.
const childEnv = "XINWEN_E2E_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child runs a system, prints its address, and stops when its input ends.
func child(text string) error {
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := app.New(app.Options{Config: s.config(), Logger: log, Version: "e2e"})
	if err != nil {
		return err
	}
	if err := a.Start(context.Background()); err != nil {
		return err
	}
	fmt.Println(a.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is the sign to stop
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return a.Stop(ctx)
}

// process is a system in a process of its own.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	// addr gives the address once, when the system answers; it is closed without
	// one when the process ends before.
	addr chan string
}

// launch starts a process.
func launch(t *testing.T, s setup) *process {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, stdin: stdin, addr: make(chan string, 1)}
	go func() {
		defer close(p.addr)
		if line, err := bufio.NewReader(stdout).ReadString('\n'); err == nil {
			p.addr <- strings.TrimSpace(line)
		}
	}()
	return p
}

// client returns a client of the process when it answers.
func (p *process) client(t *testing.T) *client {
	t.Helper()
	addr, ok := <-p.addr
	if !ok {
		p.kill()
		t.Fatal("the process ended before it answered")
	}
	return &client{t: t, base: "http://" + addr}
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	for range p.addr {       // until its output is read
	}
	_ = p.cmd.Wait() // the error is the signal
}

// stop ends the process in good order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close() // the sign to stop; the pipe may be broken already
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// kills is how often the process is killed in all.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("XINWEN_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("XINWEN_KILLS is %q; write a number", text)
	}
	return n
}

const (
	// killsPerCrawl is the most often that one crawl is killed.
	killsPerCrawl = 5
	// life is the longest that a process lives before it is killed: start-up
	// takes about a second of it.
	life = 4 * time.Second
)

func TestKillLosesNothingAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process many times")
	}
	left := kills(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	inCrawl := 0
	for crawl := 1; left > 0; crawl++ {
		n := min(left, 1+random.IntN(killsPerCrawl))
		left -= n
		inCrawl += crawlWithKills(t, crawl, n, random)
	}
	t.Logf("%d of %d kills came before the last article was in the index", inCrawl, kills(t))
}

// crawlWithKills crawls the demo web once, kills the process n times on the way,
// and checks index and alerts in the end. It returns how many kills came before the
// crawl was done.
func crawlWithKills(t *testing.T, crawl, n int, random *rand.Rand) (inCrawl int) {
	t.Helper()
	web := startWeb(t, simweb.Options{})
	articles := web.Articles()
	var want []string
	nameOf := make(map[string]string)
	for _, a := range articles {
		want = append(want, weburl.ID(a.URL))
		nameOf[weburl.ID(a.URL)] = a.Name
	}
	slices.Sort(want)
	s := prepare(t, web, simweb.SourceOptions{Delay: 150 * time.Millisecond, Interval: 2 * time.Second})
	receiver := newReceiver(t)
	s.Alerts = receiver.rule(t, "foundries", "台积电 OR 三星")
	for range n {
		if !livesAndDies(t, s, time.Duration(random.Int64N(int64(life))), len(want)) {
			inCrawl++
		}
	}
	p := launch(t, s)
	defer p.stop(t)
	c := p.client(t)
	c.until(demoTime, func() string {
		if missing := short(c.count(), len(want)); missing != "" {
			return missing
		}
		return c.idle()
	})
	receiver.arrived(t, nameOf, telling(articles, slices.Concat(spelt["tsmc"], spelt["samsung"])...))
	hits := c.search("")
	got := slices.Sorted(maps.Keys(hits))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("crawl %d: articles in the index (-published +found):\n%s", crawl, diff)
	}
	if missing := web.Log().Missing(articles); len(missing) > 0 {
		t.Errorf("crawl %d: in the index but never fetched: %v", crawl, missing)
	}
	if q := c.quarantine(); len(q) > 0 {
		t.Errorf("crawl %d: in quarantine: %+v", crawl, q)
	}
	polls := 0
	for url, times := range web.Log().Fetched() {
		if nameOf[weburl.ID(url)] != "" {
			polls += times
		}
	}
	t.Logf("crawl %d: %d kills, %d articles in %d fetches", crawl, n, len(got), polls)
	return inCrawl
}

// livesAndDies runs a process, kills it after some time, and reports whether all
// articles were in its index by then.
func livesAndDies(t *testing.T, s setup, life time.Duration, all int) (complete bool) {
	t.Helper()
	timer := time.NewTimer(life)
	defer timer.Stop()
	died := time.Now().Add(life)
	p := launch(t, s)
	defer p.kill()
	select {
	case <-timer.C:
		return false
	case addr, ok := <-p.addr:
		if !ok {
			t.Fatal("the process ended before it answered")
		}
		c := &client{t: t, base: "http://" + addr}
		complete = poll(t.Context(), time.Until(died), func() string { return short(c.count(), all) }) == ""
		<-timer.C
		return complete
	}
}
