package compose

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// service is what the test looks at.
type service struct {
	Image       string
	Networks    []string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	Ports       []string
	Volumes     []string
	Tmpfs       []string
	DependsOn   []string `yaml:"depends_on"`
	Healthcheck *struct{ Test []string }
}

// file is a compose file.
type file struct {
	Services map[string]service
	Networks map[string]any
	Volumes  map[string]any
	Configs  map[string]struct{ File, Content string }
}

func read(t *testing.T, name string) file {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	// A key beside a merged one of the same name takes its place.
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	return f
}

// TestConfigsAreFiles holds what the first run of compose.yaml showed: a text in
// it cannot be put into a container whose root is read-only.
func TestConfigsAreFiles(t *testing.T) {
	for name, c := range read(t, "compose.yaml").Configs {
		if _, err := os.Stat(c.File); err != nil || c.Content != "" {
			t.Errorf("config %s is no file beside compose.yaml: %v", name, err)
		}
	}
}

func TestDemoIsConfinedToo(t *testing.T) {
	web, ok := read(t, "demo.yaml").Services["web"]
	if !ok || !web.ReadOnly || !slices.Equal(web.CapDrop, []string{"ALL"}) || !slices.Equal(web.Networks, []string{"inside"}) {
		t.Errorf("got %+v, want a web that writes nothing but its volume and is seen inside only", web)
	}
}

func TestServicesAreConfinedAndFindEachOther(t *testing.T) {
	file := read(t, "compose.yaml")
	want := []string{"api", "crawler", "extractor", "indexer-1", "indexer-2", "nats-1", "nats-2", "nats-3"}
	if got := slices.Sorted(maps.Keys(file.Services)); !slices.Equal(got, want) {
		t.Errorf("got services %v, want %v", got, want)
	}
	for name, s := range file.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s can write its root or keeps capabilities", name)
		}
		for _, n := range s.Networks {
			if _, ok := file.Networks[n]; !ok {
				t.Errorf("%s: there is no network %s", name, n)
			}
		}
		kept := len(s.Tmpfs) > 0
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if _, ok := file.Volumes[source]; ok {
				kept = true
			} else if !strings.HasPrefix(source, ".") {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		if !kept {
			t.Errorf("%s has nowhere to write", name)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s opens %s to everybody", name, p)
			}
		}
		for _, d := range s.DependsOn {
			if _, ok := file.Services[d]; !ok {
				t.Errorf("%s: there is no service %s", name, d)
			}
		}
		if !strings.HasPrefix(name, "nats") && s.Healthcheck == nil {
			t.Errorf("%s has no health check", name)
		}
	}
}
