package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	// The binary is not where the units expect it.
	program, err := exec.LookPath("true")
	if err != nil {
		t.Skip("there is no program to stand in for xinwen")
	}
	dir := t.TempDir()
	for unit, instance := range map[string]string{"xinwen.service": "xinwen.service", "xinwen@.service": "xinwen@crawler.service"} {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, instance)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/xinwen", program)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput()
		if err != nil || strings.Contains(string(out), instance+":") {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}
