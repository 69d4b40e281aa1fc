// Command simweb serves the simulated web, on a loopback address unless told
// otherwise, until it is interrupted. Its first line of output is the value for --resolve.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // containers have no zone files

	"xinwen/deploy/simweb"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "simweb:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("simweb", flag.ContinueOnError)
	var o simweb.Options
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:0", "`address` to listen on")
	flags.BoolVar(&o.NoDemo, "no-demo", false, "leave out the demo web")
	flags.StringVar(&o.Folder, "pages", "", "`folder` of saved pages with an index.json")
	flags.StringVar((*string)(&o.FolderCharset), "pages-charset", "", "charset in the Content-Type of saved pages: empty, declared or true")
	flags.BoolVar(&o.Faults, "faults", false, "add the sites that misbehave")
	logFile := flags.String("log", "", "`file` that gets one line of JSON per request")
	list := flags.Bool("list", false, "print the address of each article, and end")
	sources := flags.String("sources", "", "`file` to write a sources.yaml for the crawler to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *logFile != "" {
		f, err := os.Create(*logFile)
		if err != nil {
			return err
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		o.AccessLog = f
	}
	web, err := simweb.New(o)
	if err != nil {
		return err
	}
	if *list {
		for _, a := range web.Articles() {
			fmt.Fprintln(out, a.URL)
		}
		return web.Close()
	}
	if *sources != "" {
		if err := os.WriteFile(*sources, []byte(web.Sources()), 0o644); err != nil {
			return err
		}
	}
	if err := web.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "--resolve '%s'\n", web.Resolve())
	<-ctx.Done()
	return web.Close()
}
