// Package auth decides who may do what in the api.
//
// A request shows a key (Authorization: Bearer, or X-Api-Key), a session (the
// cookie of a browser that has logged in), or a token in a feed's address. Guard
// turns that into a Viewer in the request's context; Mux refuses to register a
// route that the policy (policy.go) does not name, and each route asks for the
// role it names there.
package auth
