package auth

import "time"

// rule is what a route asks of whoever calls it.
type rule struct {
	role Role
	// cost is how many of the caller's requests a call counts for; 0 is free.
	cost int
	// timeout bounds the work on a call; 0 leaves it to the handler, for those
	// that stream.
	timeout time.Duration
}

// Policy returns the role that each route asks for.
func Policy() map[string]Role {
	out := make(map[string]Role, len(policy))
	for pattern, r := range policy {
		out[pattern] = r.role
	}
	return out
}

const (
	// usual bounds what must answer quickly.
	usual = 20 * time.Second
	// long bounds what looks at much.
	long = 50 * time.Second
)

// policy is all there is to say of who may do what: one line a route, as it is
// registered. A route without a line is not served, and the api does not start.
var policy = map[string]rule{
	// What shows nothing of the news.
	"GET /healthz":             {Nobody, 0, usual},
	"GET /readyz":              {Nobody, 0, usual},
	"GET /openapi.json":        {Nobody, 0, usual},
	"GET /static/{name...}":    {Nobody, 0, usual},
	"GET /language/{tag}":      {Nobody, 1, usual},
	"GET /characters/{tag}":    {Nobody, 1, usual},
	"GET /zone":                {Nobody, 1, usual},
	"GET /login":               {Nobody, 1, usual},
	"POST /login":              {Nobody, 1, usual},
	"GET /login/oidc":          {Nobody, 1, usual},
	"GET /login/oidc/callback": {Nobody, 5, usual},
	"POST /logout":             {Nobody, 1, usual},
	"/":                        {Nobody, 1, usual}, // nothing is there

	// Feeds and the live stream, also with a token in the address.
	"GET /feeds/{name}": {Feeds, 2, usual},
	"GET /v1/stream":    {Feeds, 5, 0},

	// Reading.
	"GET /v1/search":                {Read, 1, usual},
	"POST /v1/search":               {Read, 1, usual},
	"GET /v1/articles/{id}":         {Read, 1, usual},
	"GET /v1/articles/{id}/similar": {Read, 2, usual},
	"GET /v1/stories/{id}":          {Read, 1, usual},
	"GET /v1/entities/{id}":         {Read, 1, usual},
	"GET /v1/suggest":               {Read, 1, usual},
	"GET /v1/trends":                {Read, 3, usual},
	"GET /v1/cooccur":               {Read, 2, usual},
	"GET /v1/export":                {Read, 20, 0},
	"GET /v1/alerts":                {Read, 1, usual},
	"GET /v1/alerts/{id}":           {Read, 1, usual},
	"POST /v1/alerts:test":          {Read, 20, long},
	"POST /v1/alerts:explain":       {Read, 2, usual},
	"GET /v1/deliveries":            {Read, 1, usual},
	"GET /v1/sources":               {Read, 1, usual},
	"GET /v1/status":                {Read, 1, usual},
	"GET /v1/quarantine":            {Read, 1, usual},
	"GET /v1/me":                    {Read, 1, usual},
	"GET /metrics":                  {Read, 1, usual},
	"/mcp":                          {Read, 1, 0},

	"GET /prom/api/v1/query":               {Read, 2, usual},
	"POST /prom/api/v1/query":              {Read, 2, usual},
	"GET /prom/api/v1/query_range":         {Read, 5, long},
	"POST /prom/api/v1/query_range":        {Read, 5, long},
	"GET /prom/api/v1/series":              {Read, 2, usual},
	"POST /prom/api/v1/series":             {Read, 2, usual},
	"GET /prom/api/v1/labels":              {Read, 1, usual},
	"POST /prom/api/v1/labels":             {Read, 1, usual},
	"GET /prom/api/v1/label/{name}/values": {Read, 1, usual},
	"GET /prom/api/v1/metadata":            {Read, 1, usual},
	"GET /prom/api/v1/status/buildinfo":    {Read, 1, usual},
	"/prom/api/v1/":                        {Read, 1, usual},

	"GET /{$}":                    {Read, 1, usual},
	"GET /article/{id}":           {Read, 1, usual},
	"GET /entity/{id}":            {Read, 3, usual},
	"GET /article/{id}/revisions": {Read, 1, usual},
	"GET /entity/{id}/card":       {Read, 1, usual},
	"GET /story/{id}":             {Read, 1, usual},
	"GET /trends":                 {Read, 3, usual},
	"GET /sources":                {Read, 1, usual},
	"GET /pipeline":               {Read, 1, usual},
	"GET /alerts":                 {Read, 1, usual},
	"GET /alerts/test":            {Read, 20, long},
	"GET /alerts/why":             {Read, 2, usual},
	"GET /deliveries":             {Read, 1, usual},
	"GET /help":                   {Read, 1, usual},
	"GET /guide":                  {Read, 1, usual},
	"GET /suggest":                {Read, 1, usual},
	"GET /settings":               {Read, 1, usual},

	// Rules and their deliveries.
	"POST /v1/alerts":                 {Alerts, 5, usual},
	"PUT /v1/alerts/{id}":             {Alerts, 5, usual},
	"PATCH /v1/alerts/{id}":           {Alerts, 5, usual},
	"DELETE /v1/alerts/{id}":          {Alerts, 1, usual},
	"POST /v1/deliveries/{id}/replay": {Alerts, 1, usual},
	"POST /alerts/save":               {Alerts, 5, usual},
	"POST /alerts/change":             {Alerts, 5, usual},
	"POST /deliveries/replay":         {Alerts, 1, usual},

	// What changes the system, or what goes into it.
	"POST /v1/articles":          {Admin, 1, 0},
	"POST /v1/pages":             {Admin, 1, 0},
	"POST /v1/quarantine:replay": {Admin, 1, long},
	"POST /v1/index:rebuild":     {Admin, 1, usual},
	"POST /v1/sources":           {Admin, 1, long},
	"POST /v1/sources:discover":  {Admin, 1, long},
	"POST /v1/sources/{id}":      {Admin, 1, long},
	"PATCH /v1/sources/{id}":     {Admin, 1, usual},
	"DELETE /v1/sources/{id}":    {Admin, 1, usual},
	"GET /v1/keys":               {Admin, 1, usual},
	"POST /v1/keys":              {Admin, 1, usual},
	"DELETE /v1/keys/{id}":       {Admin, 1, usual},
	"POST /sources/discover":     {Admin, 1, long},
	"POST /sources/add":          {Admin, 1, long},
	"POST /sources/verify":       {Admin, 1, long},
	"POST /sources/change":       {Admin, 1, usual},
	"POST /pipeline/replay":      {Admin, 1, long},
	"POST /pipeline/rebuild":     {Admin, 1, usual},
	"POST /settings/keys":        {Admin, 1, usual},
	"POST /settings/keys/revoke": {Admin, 1, usual},
	"GET /debug/pprof/":          {Admin, 1, 0},
	"GET /debug/pprof/cmdline":   {Admin, 1, usual},
	"GET /debug/pprof/profile":   {Admin, 1, 0},
	"GET /debug/pprof/symbol":    {Admin, 1, usual},
	"GET /debug/pprof/trace":     {Admin, 1, 0},
}
