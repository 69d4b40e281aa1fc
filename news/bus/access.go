package bus

import "slices"

// Access is what a service may do on a NATS server with users: the subjects it
// may publish to and subscribe to. Responses says that it answers requests.
type Access struct {
	Publish   []string
	Subscribe []string
	Responses bool
}

// Admin is the user that makes and changes streams, for tools.
const Admin = "admin"

// AccessOf returns the least that a service needs: "crawler", "extractor",
// "indexer" or "api"; Admin may do everything. It reports false for any other
// name. Streams must exist before a service starts: no service may make one,
// since a stream can copy from any other.
func AccessOf(service string) (Access, bool) {
	a := &access{service: service}
	switch service {
	case "crawler":
		a.consume(Frontier)
		a.write(Frontier, Pages)
		a.ownConsumers(Frontier)
		a.kv(KVSources, KVFeeds, KVHosts, KVSeen)
		a.readKV(KVErased, KVSourceChanges)
		a.objects(objectsPages)
		// Crawlers lend each other turns, and answer the api.
		a.Publish = append(a.Publish, "xinwen.crawler.>", inboxPrefix(service)+".>")
		a.Subscribe = append(a.Subscribe, "xinwen.crawler.>", "$SRV.>")
		a.Responses = true
	case "extractor":
		a.consume(Pages)
		a.read(Articles) // to know copies of what came before
		a.write(Articles, Frontier)
		a.kv(KVParts, KVMemory)
		a.readKV(KVErased)
		a.readObjects(objectsPages)
	case "indexer":
		a.consume(Articles)
		a.write(Alerts)
		a.kv(KVDeliveries) // counts of conditional rules
		a.readKV(KVRules, KVErased)
		a.Subscribe = append(a.Subscribe, "xinwen.search.>", "$SRV.>")
		a.Responses = true
	case "api":
		a.consume(Alerts)
		a.read(Articles, Quarantine)
		a.write(Pages, Articles)  // imports
		a.write(Frontier, Alerts) // what it replays from QUARANTINE
		a.Publish = append(a.Publish, "xinwen.search.>", "$SRV.>", "$JS.API.STREAM.MSG.DELETE."+Quarantine,
			SubjectDiscover, SubjectVerify, SubjectDefine)
		a.kv(KVRules, KVDeliveries, KVSourceChanges, KVKeys)
		a.readKV(KVSources, KVErased)
		a.objects(objectsPages)
	case Admin:
		return Access{Publish: []string{">"}, Subscribe: []string{">"}}, true
	default:
		return Access{}, false
	}
	a.common()
	slices.Sort(a.Publish)
	a.Publish = slices.Compact(a.Publish)
	return a.Access, true
}

// inboxPrefix keeps the answers to one service from the others.
func inboxPrefix(name string) string { return "_INBOX." + Token(name) }

type access struct {
	Access
	service string
}

// common is what every client needs: to look at all streams, to quarantine, and
// to hear answers.
func (a *access) common() {
	a.Publish = append(a.Publish,
		"$JS.API.INFO", "$JS.API.STREAM.INFO.*", "$JS.API.CONSUMER.LIST.*",
		SubjectQuarantine+Token(a.service))
	a.objects(objectsKept)
	a.Subscribe = append(a.Subscribe, inboxPrefix(a.service)+".>")
}

// read lets a stream be read by readers without durable state.
func (a *access) read(names ...string) {
	for _, s := range names {
		a.Publish = append(a.Publish,
			"$JS.API.CONSUMER.CREATE."+s+".>", "$JS.API.CONSUMER.INFO."+s+".*", "$JS.API.CONSUMER.MSG.NEXT."+s+".*",
			"$JS.API.CONSUMER.DELETE."+s+".*", "$JS.API.STREAM.MSG.GET."+s, "$JS.FC."+s+".>")
	}
}

// consume lets it be read by durable consumers too.
func (a *access) consume(names ...string) {
	a.read(names...)
	for _, s := range names {
		a.Publish = append(a.Publish, "$JS.API.CONSUMER.CREATE."+s, "$JS.ACK."+s+".>")
	}
}

// ownConsumers lets consumers be listed by name.
func (a *access) ownConsumers(names ...string) {
	for _, s := range names {
		a.Publish = append(a.Publish, "$JS.API.CONSUMER.NAMES."+s)
	}
}

// write lets messages be published to a stream. Who writes pages makes room in
// a full PAGES.
func (a *access) write(names ...string) {
	for i := range streams {
		if s := &streams[i]; slices.Contains(names, s.name) {
			a.Publish = append(a.Publish, s.prefix+">")
		}
	}
	if slices.Contains(names, Pages) {
		a.Publish = append(a.Publish, "$JS.API.STREAM.PURGE."+Pages)
	}
}

func (a *access) readKV(buckets ...string) {
	for _, b := range buckets {
		a.read("KV_" + b)
	}
}

func (a *access) kv(buckets ...string) {
	a.readKV(buckets...)
	for _, b := range buckets {
		a.Publish = append(a.Publish, "$KV."+b+".>")
	}
}

func (a *access) readObjects(names ...string) {
	for _, n := range names {
		a.read("OBJ_" + n)
	}
}

func (a *access) objects(names ...string) {
	a.readObjects(names...)
	for _, n := range names {
		a.Publish = append(a.Publish, "$O."+n+".>", "$JS.API.STREAM.PURGE.OBJ_"+n)
	}
}
