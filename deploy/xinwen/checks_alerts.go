package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/deploy/app"
	"xinwen/news"
	"xinwen/news/bus"
)

// checkRule reports a rule whose channels cannot be told.
func checkRule(r *rules.Stored, smtp deliver.SMTP) error {
	var errs []error
	for i := range r.Channels {
		c := &r.Channels[i]
		if c.Kind == news.ChannelEmail && smtp.Host == "" {
			errs = append(errs, hint(errors.New("tells by e-mail, and no mail server is named"), "set api.smtp.host, or take the channel out of the rule"))
		}
		errs = append(errs, checkPrivate(c.URLFile), checkPrivate(c.SecretFile))
	}
	for i := range r.Webhooks {
		errs = append(errs, checkPrivate(r.Webhooks[i].SecretFile))
	}
	return errors.Join(errs...)
}

// checkTold reports a rule of whose matches nobody is told just now.
func checkTold(r *rules.Stored, now time.Time) error {
	switch {
	case r.Disabled:
		return hint(errors.New("is disabled: it matches nothing"), "enable it on the page Alerts, or remove it")
	case now.Before(r.MutedUntil):
		return hint(fmt.Errorf("is muted until %s", r.MutedUntil.Format(time.RFC3339)), "take the mute away on the page Alerts if somebody should be told before")
	case len(r.Webhooks) == 0 && len(r.Channels) == 0:
		return hint(errors.New("has no channel and no webhook: its matches are in the log and in feeds only"), "add one, if somebody should be told")
	}
	return nil
}

// alerts looks at the rules in force, and at those in files.
func (p *patient) alerts(ctx context.Context, b *bus.Bus, config app.Config) {
	list, err := rules.NewStore(rules.Options{Bus: b}).List(ctx)
	p.check("alert rules", err)
	for i := range list {
		r := &list[i]
		if err := checkRule(r, config.API.SMTP); err != nil {
			p.check("alert rule "+r.ID, err)
		}
		p.warn("alert rule "+r.ID, checkTold(r, p.now))
	}
}

// ruleFiles looks at the files of rules as the api would read them.
func (p *patient) ruleFiles(dir string, parse rules.Parser) {
	set, err := rules.Load(dir, parse)
	if err == nil {
		var errs []error
		for _, f := range set.Faults {
			errs = append(errs, f)
		}
		err = errors.Join(errs...)
	}
	p.check("alert rule files", err)
}
