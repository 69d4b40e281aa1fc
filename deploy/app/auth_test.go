package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/auth"
)

func TestConfigOfLogins(t *testing.T) {
	read := func(roles string) (Config, error) {
		file := filepath.Join(t.TempDir(), "xinwen.yaml")
		text := `api:
  public_url: https://news.example.com
  auth:
    trusted_proxies: [10.0.0.0/8]
    oidc:
      issuer: https://login.example.com/realms/main
      client_id: xinwen
      roles: ` + roles + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadConfig(file)
	}
	c, err := read("{news-admins: admin, desk: alerts}")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]auth.Role{"news-admins": auth.Admin, "desk": auth.Alerts}
	if d := cmp.Diff(want, c.API.Auth.OIDC.Roles); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
	if _, err := read("{desk: king}"); err == nil || !strings.Contains(err.Error(), "king") {
		t.Errorf("got %v, want the role refused", err)
	}
}
