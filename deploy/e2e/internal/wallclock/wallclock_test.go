package wallclock_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/wallclock"
)

const childEnv = "XINWEN_WALLCLOCK_CHILD"

func TestMain(m *testing.M) {
	file := os.Getenv(childEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	began := time.Now()
	if err := wallclock.Follow(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(time.Now().Unix(), time.Since(began).Milliseconds())
}

func TestFollowedClockIsMoved(t *testing.T) {
	c := wallclock.New(t)
	for _, off := range []time.Duration{0, time.Hour, -24 * time.Hour} {
		c.Set(t, off)
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), childEnv+"="+c.File)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var unix, took int64
		if _, err := fmt.Sscan(string(out), &unix, &took); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		if got := time.Until(time.Unix(unix, 0)); (got - off).Abs() > 10*time.Second {
			t.Errorf("moved by %v: the process is %v off", off, got)
		}
		if took < 0 || took > 10_000 {
			t.Errorf("moved by %v: the process measures %d ms by its monotonic clock, which must not move", off, took)
		}
	}
}
