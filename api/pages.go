package api

import (
	"net/http"

	"xinwen/api/auth"
)

// pages answers browsers that may not do what they ask for.
type pages struct{ s *Server }

func (p pages) Denied(w http.ResponseWriter, r *http.Request, needs auth.Role) {
	p.s.ui.Denied(w, r, needs)
}
