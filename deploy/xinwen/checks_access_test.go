package main

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"xinwen/api"
	"xinwen/api/auth"
	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/news"
)

func TestAccessIsChecked(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	admin := auth.Key{ID: "a", Name: "desk", Role: auth.Admin}
	reader := auth.Key{ID: "r", Name: "board", Role: auth.Read}
	old := auth.Key{ID: "o", Name: "old", Role: auth.Admin, Revoked: now}
	ending := auth.Key{ID: "e", Name: "ending", Role: auth.Read, Expires: now.Add(48 * time.Hour)}
	behindProxy := auth.Config{TrustedProxies: []string{"10.0.0.0/8"}}
	chosen := auth.Config{AdminKey: "0123456789abcdef0123456789abcdef"}
	for _, c := range []struct {
		name  string
		err   error
		want  string
		mends string
	}{
		{"own-machine", checkAccess(api.Config{}, nil, true, now), "", ""},
		{"own-machine-ipv6", checkAccess(api.Config{Listen: "[::1]:8080"}, nil, true, now), "", ""},
		{"everywhere-no-key", checkAccess(api.Config{Listen: ":8080"}, nil, true, now), "refuses to start", "keys create"},
		{"everywhere-not-known", checkAccess(api.Config{Listen: ":8080"}, nil, false, now), "", ""},
		{"everywhere-key", checkAccess(api.Config{Listen: "0.0.0.0:8080"}, []auth.Key{admin}, true, now), "", ""},
		{"everywhere-chosen", checkAccess(api.Config{Listen: "0.0.0.0:8080", Auth: chosen}, nil, true, now), "", ""},
		{"chosen-too-short", checkAccess(api.Config{Auth: auth.Config{AdminKey: "short"}}, nil, true, now), "shorter than 32", ""},
		{"open", checkAccess(api.Config{Listen: ":8080", Auth: auth.Config{Open: true}}, nil, true, now), "everybody", "take out open"},
		{"no-admin-left", checkAccess(api.Config{}, []auth.Key{old, reader}, true, now), "no key with the role admin", "--role admin"},
		{"plain", checkKeys(api.Config{Listen: ":8080"}, nil, now), "as they are", "api.tls"},
		{"proxy", checkKeys(api.Config{Listen: ":8080", Auth: behindProxy}, nil, now), "", ""},
		{"ends-soon", checkKeys(api.Config{}, []auth.Key{admin, ending}, now), "ending expires in 48h", "make another"},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, c.err, c.want, c.mends) })
	}
}

func TestSecretsOthersCanReadAreFound(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no modes here")
	}
	dir := t.TempDir()
	make := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		return path
	}
	expect(t, checkPrivate(make("own", 0o600)), "", "")
	expect(t, checkPrivate(filepath.Join(dir, "none")), "", "")
	expect(t, checkPrivate(make("group", 0o640)), "can read", "chmod 600")
	expect(t, checkPrivate(make("all", 0o604)), "can read", "chmod 600")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	expect(t, checkPrivate(dir), "can read", "chmod 700")
	if err := os.Chmod(dir, 0o750); err != nil { // a group of one's own
		t.Fatal(err)
	}
	expect(t, checkPrivate(dir), "", "")
}

func TestRulesThatTellNobodyAreFound(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	rule := func(change func(*rules.Stored)) *rules.Stored {
		r := &rules.Stored{Rule: news.Rule{ID: "r", Channels: []news.Channel{{Kind: news.ChannelSlack, URLEnv: "X"}}}}
		change(r)
		return r
	}
	same := func(*rules.Stored) {}
	mail := func(r *rules.Stored) { r.Channels[0].Kind = news.ChannelEmail }
	expect(t, checkTold(rule(same), now), "", "")
	expect(t, checkTold(rule(func(r *rules.Stored) { r.Disabled = true }), now), "disabled", "enable it")
	expect(t, checkTold(rule(func(r *rules.Stored) { r.MutedUntil = now.Add(time.Hour) }), now), "muted until 2026-07-01T13:00:00Z", "mute")
	expect(t, checkTold(rule(func(r *rules.Stored) { r.Channels = nil }), now), "no channel", "add one")
	expect(t, checkRule(rule(same), deliver.SMTP{}), "", "")
	expect(t, checkRule(rule(mail), deliver.SMTP{Host: "mail.example"}), "", "")
	expect(t, checkRule(rule(mail), deliver.SMTP{}), "no mail server", "api.smtp.host")
}
