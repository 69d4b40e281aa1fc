// Command extract reads lines {id, path or html_base64, url, content_type} from
// standard input and writes articles as JSON lines: what "xinwen extract
// --jsonl" does, for measuring the extractor by itself. With -annotate it reads
// {id, lang, title, text, date} and writes mentions.
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
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *annotate); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, annotate bool) error {
	var o extractor.Options
	if annotate {
		lex, err := lexicon.Builtin()
		if err != nil {
			return err
		}
		o.Lexicon = lexicon.NewStore(lex)
	}
	x, err := extractor.New(o)
	if err != nil {
		return err
	}
	if annotate {
		return x.AnnotateLines(ctx, os.Stdin, os.Stdout)
	}
	return x.ExtractLines(ctx, os.Stdin, os.Stdout)
}
