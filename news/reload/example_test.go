package reload_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"xinwen/news/reload"
)

func ExampleWatch() {
	dir, err := os.MkdirTemp("", "reload")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory
	file := filepath.Join(dir, "rules.yaml")

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	calls := 0
	err = reload.Watch(ctx, []string{file}, func() {
		calls++
		content, _ := os.ReadFile(file) // it need not exist yet
		fmt.Printf("call %d: %q\n", calls, content)
		if calls == 1 {
			if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
				fmt.Println(err)
			}
			return
		}
		cancel()
	})
	fmt.Println("ended:", err)
	// Output:
	// call 1: ""
	// call 2: "hello"
	// ended: <nil>
}
