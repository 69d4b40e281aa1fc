package chaos

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
)

func TestMain(m *testing.M) { run.Main(m) }

// system is the processes that run, by name. It starts anew what has ended, as a
// supervisor does.
type system struct {
	t       *testing.T
	parts   []run.Part
	running map[string]*run.Process
	tally   *tally // nil if deaths are not counted
}

func newSystem(t *testing.T, parts []run.Part, tally *tally) *system {
	return &system{t: t, parts: parts, running: make(map[string]*run.Process), tally: tally}
}

// startAll starts every part, in order; each but the first, which is the NATS
// server, without waiting for it.
func (s *system) startAll(change func(*run.Part)) {
	s.t.Helper()
	for i, p := range s.parts {
		change(&p)
		x := s.start(p)
		if i == 0 {
			<-x.Started()
		}
	}
}

func (s *system) start(p run.Part) *run.Process {
	s.t.Helper()
	s.running[p.Name] = run.Launch(s.t, p)
	return s.running[p.Name]
}

// kill kills a process and starts it again.
func (s *system) kill(name string) {
	s.t.Helper()
	s.running[name].Kill()
	s.start(s.running[name].Part)
}

// leaseChanges counts, until the test ends, how often a crawler takes or leaves a
// part of the frontier; none are seen where the first process is no NATS server.
func (s *system) leaseChanges(t *testing.T) *atomic.Int64 {
	changes := new(atomic.Int64)
	if nats := s.parts[0].Serve; nats != "" {
		go listen(t.Context(), nats, func(subject string) {
			if strings.HasPrefix(subject, "$KV.hosts.crawler.part.") {
				changes.Add(1)
			}
		})
	}
	return changes
}

// supervise starts anew what has ended. It does not wait for another death at
// the same boundary.
func (s *system) supervise() {
	s.t.Helper()
	for _, p := range s.parts {
		x := s.running[p.Name]
		if x == nil {
			continue
		}
		select {
		case <-x.Ended():
			s.ended(x)
			p = x.Part
			p.Death = run.Death{}
			s.start(p)
		default:
		}
	}
}

// ended counts the death of a process that nobody killed from outside.
func (s *system) ended(x *run.Process) {
	if s.tally == nil {
		return
	}
	if x.Death.Boundary == "" {
		s.t.Logf("%s ended by itself:\n%s", x.Name, x.Log())
		s.tally.died(x.Name + ": ended by itself")
		return
	}
	s.tally.died(x.Name + ": " + x.Death.Boundary)
}

// first waits until one of the processes ends, for a time at most, and returns
// it, nil if none has.
func (s *system) first(limit time.Duration) *run.Process {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(limit))}}
	list := []*run.Process{nil}
	for _, p := range s.parts {
		if x := s.running[p.Name]; x != nil {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(x.Ended())})
			list = append(list, x)
		}
	}
	i, _, _ := reflect.Select(cases)
	return list[i]
}

// stop stops all, NATS last.
func (s *system) stop() {
	s.t.Helper()
	for _, p := range slices.Backward(s.parts) {
		if r := s.running[p.Name]; r != nil {
			r.Stop(s.t)
		}
	}
}

// parts are the processes of a system whose services run alone, the NATS server
// first.
func parts(t *testing.T, w *world) []run.Part {
	t.Helper()
	nats, api := run.FreeAddr(t), run.FreeAddr(t)
	w.Base = "http://" + api
	dir := t.TempDir()
	list := []run.Part{{Name: "nats", Data: filepath.Join(dir, "nats"), Serve: nats}}
	for _, name := range []string{app.Indexer, app.API, app.Extractor, app.Crawler} {
		list = append(list, run.Part{
			Name: name, Services: []string{name}, Data: filepath.Join(dir, name), NATS: "nats://" + nats, Listen: api,
			Sources: w.sources, Resolve: []string{w.web.Resolve()}, Alerts: w.alerts,
		})
	}
	return list
}

// whole is everything in one process.
func whole(t *testing.T, w *world) run.Part {
	t.Helper()
	api := run.FreeAddr(t)
	w.Base = "http://" + api
	return run.Part{
		Name: "xinwen", Data: t.TempDir(), Listen: api,
		Sources: w.sources, Resolve: []string{w.web.Resolve()}, Alerts: w.alerts,
	}
}
