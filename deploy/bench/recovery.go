package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// recovery runs the test that measures it, which needs services in processes of
// their own, and passes its figures on.
func recovery(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", "TestRecovers", "-v", "xinwen/deploy/e2e/chaos")
	cmd.Dir = ".."                                                    // its own module decides versions, not this one
	cmd.Env = append(os.Environ(), "GOWORK=", "XINWEN_CHAOS_KILLS=1") // any number: it measures five of each
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "figure\t") {
			fmt.Print(line)
		}
	}
	return err
}
