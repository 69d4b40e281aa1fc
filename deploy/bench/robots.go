package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/temoto/robotstxt"

	"xinwen/crawler/robots"
)

// crawlData is where foreign test suites lie, beside the project; what is not
// there is not measured.
const crawlData = "../../../shared/data/crawl"

// robotsCases reads Google's published cases and answers them with our parser and
// with the one that colly uses.
func robotsCases(_ context.Context) error {
	f, err := os.Open(filepath.Join(crawlData, "robots-google", "google_cases.jsonl"))
	if err != nil {
		return fmt.Errorf("the cases are not part of the project: %w", err)
	}
	defer f.Close()
	type testCase struct {
		Robots  string
		URL     string
		Agents  []string
		Allowed bool
	}
	var cases []testCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c testCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	ours, theirs := 0, 0
	for _, c := range cases {
		if robots.Parse([]byte(c.Robots)).For(c.Agents...).Allowed(c.URL) == c.Allowed {
			ours++
		}
		data, err := robotstxt.FromString(c.Robots)
		agent := ""
		if len(c.Agents) > 0 {
			agent = c.Agents[0]
		}
		if err == nil && data.TestAgent(robots.Path(c.URL), agent) == c.Allowed {
			theirs++
		}
	}
	versus("robots cases", float64(ours), fmt.Sprintf("of %d", len(cases)), "all", fmt.Sprintf("temoto=%d", theirs))
	var ourTime, theirTime time.Duration
	for range 20 {
		began := time.Now()
		for _, c := range cases {
			robots.Parse([]byte(c.Robots)).For(c.Agents...).Allowed(c.URL)
		}
		ourTime += time.Since(began)
		began = time.Now()
		for _, c := range cases {
			if data, err := robotstxt.FromString(c.Robots); err == nil {
				data.TestAgent(c.URL, "FooBot")
			}
		}
		theirTime += time.Since(began)
	}
	n := float64(20 * len(cases))
	versus("parse and ask", n/ourTime.Seconds(), "files/s", "", "temoto="+number(n/theirTime.Seconds()))
	return nil
}
