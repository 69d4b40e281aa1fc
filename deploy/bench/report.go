package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report runs the benchmarks one after another, each in a process of its own,
// and writes what they say to a file. A part that is not run again keeps what the
// file says of it, with the commit and the hour it was measured at.
func report(ctx context.Context) error {
	flags := flag.NewFlagSet("report", flag.ExitOnError)
	only := flags.String("only", "", "names to run, separated by commas; empty for all")
	skip := flags.String("skip", "", "names to leave out, separated by commas")
	path := flags.String("o", "../../BENCHMARKS.md", "file to write")
	_ = flags.Parse(os.Args[2:]) // it ends the process itself
	names := reported()
	chosen := names
	if *only != "" {
		chosen = strings.Split(*only, ",")
	}
	var skipped []string
	if *skip != "" {
		skipped = strings.Split(*skip, ",")
	}
	for _, name := range slices.Concat(chosen, skipped) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%q is not part of the report; these are: %s", name, strings.Join(names, " "))
		}
	}
	old, err := os.ReadFile(*path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parts := sections(string(old))
	var errs []error
	for _, name := range chosen {
		if slices.Contains(skipped, name) {
			continue
		}
		text, err := section(ctx, name)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue // what was measured before stays
		}
		parts[name] = text
		if err := os.WriteFile(*path, []byte(render(parts)), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// reported returns the names of what the report holds, in order.
func reported() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(benchmarks)) {
		if benchmarks[name].limit > 0 {
			names = append(names, name)
		}
	}
	return names
}

// section runs one benchmark and writes its part of the report.
func section(ctx context.Context, name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	before := load()
	ctx, cancel := context.WithTimeout(ctx, benchmarks[name].limit)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, name)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it tidies up
	cmd.WaitDelay = 20 * time.Second
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, os.Stdout), os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it did not end in %s: %w", benchmarks[name].limit, err)
		}
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n%s: `go -C deploy/bench run . %s`  \n", name, sentence(benchmarks[name].help), name)
	fmt.Fprintf(&b, "%s, commit %s, took %s, load average %s before\n\n", began.UTC().Format("2006-01-02 15:04 MST"), commit(), time.Since(began).Round(time.Second), before)
	b.WriteString("| figure | value | unit | target | others |\n|---|---|---|---|---|\n")
	for line := range strings.Lines(out.String()) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if f[0] != "figure" || len(f) < 5 {
			continue
		}
		for len(f) < 6 {
			f = append(f, "-")
		}
		for i := range f {
			f[i] = strings.ReplaceAll(f[i], "|", "\\|")
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(f[1:6], " | "))
	}
	return b.String(), nil
}

// sections returns the parts of a report by name.
func sections(text string) map[string]string {
	parts := make(map[string]string)
	for _, p := range strings.Split(text, "\n## ")[1:] {
		name, _, _ := strings.Cut(p, "\n")
		parts[name] = "## " + strings.TrimSpace(p) + "\n"
	}
	return parts
}

// render puts the parts of a report together.
func render(parts map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Benchmarks

The last run of each part; `+"`go -C deploy/bench run . report`"+` takes all again, `+"`-only NAME,NAME`"+` some. A target is what is asked at least and, after
it, aimed at. Others are measured in the same run unless their name says what they are.

Machine: %s. A load average far above 0 means that something else ran: trust ratios then, not rates.
`, machine())
	names := reported()
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if slices.Contains(names, name) { // not what there is no more
			b.WriteString("\n" + parts[name])
		}
	}
	return b.String()
}

// machine says what this runs on.
func machine() string {
	model, memory := "", ""
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		model = field(string(data), "model name")
	}
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb float64
		if _, err := fmt.Sscan(field(string(data), "MemTotal"), &kb); err == nil {
			memory = fmt.Sprintf(", %.0f GiB", kb/(1<<20))
		}
	}
	if model == "" {
		model = "processor not known"
	}
	return fmt.Sprintf("%s, %d cores%s, %s/%s, %s", model, runtime.NumCPU(), memory, runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// field returns the value of the first line "key: value".
func field(text, key string) string {
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// load returns the load averages, "not known" where there are none.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	one, _, _ := strings.Cut(string(data), " ")
	return one
}

// commit names what is measured.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--exclude", "*").Output()
	if err != nil {
		return "not known"
	}
	return strings.TrimSpace(string(out))
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
