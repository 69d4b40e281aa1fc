package tree

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// samples are points of a square; the target is whether x and y are on the same
// side of the middle, which no single split tells.
func samples(n int) []Sample {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]Sample, n)
	for i := range out {
		x, y := r.Float32(), r.Float32()
		out[i] = Sample{Row: []float32{x, y, r.Float32()}, Weight: 1}
		if (x > 0.5) == (y > 0.5) {
			out[i].Target = 1
		}
	}
	return out
}

var names = []string{"x", "y", "noise"}

func TestFitLearnsWhatOneSplitCannot(t *testing.T) {
	m := Fit(names, samples(2000), FitOptions{Trees: 30, Depth: 3, Rate: 0.3, Smooth: 1, MinWeight: 5, Classes: true})
	wrong := 0
	test := samples(500)
	for _, s := range test {
		if (m.Probability(s.Row) > 0.5) != (s.Target > 0.5) {
			wrong++
		}
	}
	if wrong > 25 {
		t.Errorf("got %d of %d wrong, want at most 25", wrong, len(test))
	}
}

func TestModelSurvivesItsFile(t *testing.T) {
	all := samples(300)
	m := Fit(names, all, FitOptions{Trees: 5, Depth: 3, Rate: 0.3, Smooth: 1, MinWeight: 5})
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(data, names)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if got, want := again.Sum(s.Row), m.Sum(s.Row); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestParseRefusesModelsOfAnotherProgram(t *testing.T) {
	for name, data := range map[string]string{
		"features": `{"features":["x"],"trees":[]}`,
		"order":    `{"features":["y","x","noise"],"trees":[]}`,
		"nowhere":  `{"features":["x","y","noise"],"trees":[{"f":[0],"v":[1],"r":[7]}]}`,
		"loop":     `{"features":["x","y","noise"],"trees":[{"f":[0,-1],"v":[1,1],"r":[0,0]}]}`,
		"json":     `{`,
	} {
		if _, err := Parse([]byte(data), names); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
