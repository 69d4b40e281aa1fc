package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"xinwen/deploy/app"
	"xinwen/news/bus"
)

type backupCmd struct {
	busFlags
	Dir string `arg:"" placeholder:"DIR" type:"path" help:"New directory for the backup."`
}

// Run saves every stream and bucket; the system may run meanwhile.
func (c *backupCmd) Run(ctx context.Context, k *cli) (err error) {
	b, err := c.open(ctx, k, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	started := time.Now()
	var bytes int64
	m, err := b.Backup(ctx, c.Dir, func(s bus.SavedStream) {
		bytes += s.Bytes
		printSaved(s)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d streams, %d MiB in %.1f s; indexes are built anew from ARTICLES\n", len(m.Streams), bytes>>20, time.Since(started).Seconds())
	return nil
}

func printSaved(s bus.SavedStream) {
	fmt.Printf("%-16s %9d messages up to %-9d %9d KiB\n", s.Name, s.Messages, s.LastSeq, s.Bytes>>10)
}

type restoreCmd struct {
	busFlags
	Dir string `arg:"" placeholder:"DIR" type:"existingdir" help:"Directory of the backup."`
}

// Run brings a backup back into an empty system that is stopped.
func (c *restoreCmd) Run(ctx context.Context, k *cli) (err error) {
	config, err := c.app(k)
	if err != nil {
		return err
	}
	if index := filepath.Join(config.Data, "index"); config.NATS.URL == "" {
		if files, err := os.ReadDir(index); err == nil && len(files) > 0 {
			return hint(fmt.Errorf("there is an index in %s already", index), "move it away: it is of other articles, and is built anew from those restored")
		}
		if err := app.CheckData(config.Data); err != nil {
			return err
		}
	}
	b, err := c.open(ctx, k, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	started := time.Now()
	m, err := b.Restore(ctx, c.Dir, printSaved)
	if err != nil {
		return err
	}
	fmt.Printf("%d streams restored in %.1f s as they were at %s; start xinwen, which builds the index\n",
		len(m.Streams), time.Since(started).Seconds(), m.Created.Local().Format(time.DateTime))
	return nil
}
