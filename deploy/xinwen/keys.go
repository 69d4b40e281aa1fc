package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"xinwen/api/auth"
	"xinwen/news"
	"xinwen/news/bus"
)

type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Make a key and print it: it is shown this once. The first one must have the role admin; from then on the api asks for keys."`
	List   keysListCmd   `cmd:"" help:"List the keys and when they were last used."`
	Revoke keysRevokeCmd `cmd:"" help:"Make keys of no use."`
}

// store opens the streams and the keys in them.
func (f busFlags) store(ctx context.Context, c *cli) (*bus.Bus, *auth.Store, error) {
	b, err := f.open(ctx, c, false)
	if err != nil {
		return nil, nil, err
	}
	s := auth.NewStore(b, slog.New(slog.DiscardHandler))
	if err := s.Load(ctx); err != nil {
		return nil, nil, errors.Join(err, b.Close())
	}
	return b, s, nil
}

type keysCreateCmd struct {
	busFlags
	Name    string `arg:"" help:"Who or what uses it."`
	Role    string `required:"" placeholder:"ROLE" enum:"feeds,read,alerts,admin" help:"feeds (feeds and the live stream, also in an address), read, alerts (and change rules), or admin."`
	Expires string `placeholder:"AGE" help:"How long it is good for, such as 90d; until it is revoked without this flag."`
}

// Run makes a key.
func (c *keysCreateCmd) Run(ctx context.Context, k *cli) (err error) {
	n := auth.New{Name: c.Name, By: "xinwen keys"}
	if n.Role, err = auth.ParseRole(c.Role); err != nil {
		return err
	}
	if c.Expires != "" {
		d, err := news.ParseDuration(c.Expires)
		if err != nil || d <= 0 {
			return hint(fmt.Errorf("--expires %q is no duration", c.Expires), "write for example 90d")
		}
		n.Lifetime = d.Std()
	}
	b, s, err := c.store(ctx, k)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	key, text, err := s.Create(ctx, n)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	fmt.Fprintf(os.Stderr, "key %s for %s with the role %s; copy it now, it is kept nowhere:\n", key.ID, key.Name, key.Role)
	fmt.Println(text)
	return nil
}

type keysListCmd struct {
	busFlags
}

// Run lists the keys.
func (c *keysListCmd) Run(ctx context.Context, k *cli) (err error) {
	b, s, err := c.store(ctx, k)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	list := s.List()
	if len(list) == 0 {
		fmt.Println("there are no keys: the api answers its own machine only, and asks nobody for one")
		return nil
	}
	now := time.Now()
	day := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.Local().Format("2006-01-02 15:04")
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tROLE\tMADE\tLAST USED\tEXPIRES\tSTATE")
	for i := range list {
		key := &list[i]
		state := "good"
		switch {
		case !key.Revoked.IsZero():
			state = "revoked " + day(key.Revoked, "")
		case !key.Active(now):
			state = "expired"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", key.ID, key.Name, key.Role, day(key.Created, "–"), day(key.Used, "never"), day(key.Expires, "–"), state)
	}
	return w.Flush()
}

type keysRevokeCmd struct {
	busFlags
	IDs []string `arg:"" name:"id" help:"IDs of the keys, as xinwen keys list shows them."`
}

// Run revokes keys.
func (c *keysRevokeCmd) Run(ctx context.Context, k *cli) (err error) {
	b, s, err := c.store(ctx, k)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for _, id := range c.IDs {
		if err := s.Revoke(ctx, id); err != nil {
			return fmt.Errorf("key %s: %w", id, err)
		}
		fmt.Printf("%s revoked\n", id)
	}
	return nil
}
