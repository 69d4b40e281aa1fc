package chaos

import (
	"path/filepath"
	"slices"
	"testing"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
)

func TestMain(m *testing.M) { run.Main(m) }

// system is the processes that run, by name. It starts anew what has ended by
// itself, as a supervisor does.
type system struct {
	t       *testing.T
	parts   []run.Part
	running map[string]*run.Process
	revived int
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

// supervise starts anew what has ended.
func (s *system) supervise() {
	s.t.Helper()
	for _, p := range s.running {
		select {
		case <-p.Ended():
			s.revived++
			s.start(p.Part)
		default:
		}
	}
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
