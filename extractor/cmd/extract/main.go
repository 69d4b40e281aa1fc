// Command extract reads lines {id, path or html_base64, url, content_type} from
// standard input and writes articles as JSON lines: what "xinwen extract
// --jsonl" does, for measuring the extractor by itself. With -annotate it reads
// {id, lang, title, text, date} and writes mentions. With -learn it writes what
// the pages of each host have in common; -memory reads that and uses it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"xinwen/extractor"
	"xinwen/news/lexicon"
)

func main() {
	annotate := flag.Bool("annotate", false, "write mentions instead of articles")
	learn := flag.Bool("learn", false, "write the memory of hosts instead of articles")
	given := flag.String("memory", "", "file with the memory of hosts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *annotate, *learn, *given); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, annotate, learn bool, given string) error {
	var o extractor.Options
	if annotate {
		lex, err := lexicon.Builtin()
		if err != nil {
			return err
		}
		o.Lexicon = lexicon.NewStore(lex)
	}
	if given != "" {
		f, err := os.Open(given)
		if err != nil {
			return err
		}
		o.Memory, err = extractor.ReadMemory(f)
		_ = f.Close() // only read
		if err != nil {
			return fmt.Errorf("%s: %w", given, err)
		}
	}
	x, err := extractor.New(o)
	if err != nil {
		return err
	}
	if learn {
		hosts, err := x.LearnLines(os.Stdin)
		if err != nil {
			return err
		}
		return extractor.WriteMemory(os.Stdout, hosts)
	}
	if annotate {
		return x.AnnotateLines(ctx, os.Stdin, os.Stdout)
	}
	return x.ExtractLines(ctx, os.Stdin, os.Stdout)
}
