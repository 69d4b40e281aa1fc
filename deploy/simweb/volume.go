package simweb

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Volume sites are for counting: many hosts that answer quickly. Each has a feed
// with an ETag that names its pages. Some links lead, by a redirect, to a page of
// another site; one is forbidden by robots.txt.
const (
	defaultVolumePages = 20
	volumeFeed         = "/feed.xml"
	volumeForbidden    = "/private/"
	// volumeAway is which of a site's links lead to another one.
	volumeAway = 7
)

// VolumeHost returns the host of the i-th volume site.
func VolumeHost(i int) string { return fmt.Sprintf("v%d-volume.example", i) }

func volumeSites(n, pages int) []*site {
	if pages <= 0 {
		pages = defaultVolumePages
	}
	all := make([]*site, n)
	for i := range all {
		s := &site{
			siteConfig: siteConfig{
				ID: fmt.Sprintf("volume-%d", i), Host: VolumeHost(i), Name: fmt.Sprintf("Volume %d", i), Lang: "en", Follow: "feed",
				Feeds:  []feedConfig{{Path: volumeFeed}},
				Robots: robotsConfig{Disallow: []string{volumeForbidden}},
			},
			zone: time.UTC,
		}
		s.resources = map[string]*resource{
			robotsPath: s.robots(),
			volumeFeed: {kind: "feed", contentType: "application/rss+xml", body: []byte(volumeRSS(s.Host, pages)), validators: validateETag},
		}
		next := VolumeHost((i + 1 + i%5) % n)
		s.make = func(path string) *resource { return volumeResource(s.Host, next, path) }
		all[i] = s
	}
	return all
}

func volumeRSS(host string, pages int) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0"><channel><title>Volume</title>`)
	item := func(path string) { b.WriteString("<item><link>http://" + host + path + "</link></item>") }
	for i := range pages {
		if i%volumeAway == volumeAway-1 {
			item("/away/" + strconv.Itoa(i))
		} else {
			item("/page/" + strconv.Itoa(i))
		}
	}
	item(volumeForbidden + "draft")
	return b.String() + "</channel></rss>"
}

func volumeResource(host, next, path string) *resource {
	kind, name, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch kind {
	case "away":
		return &resource{kind: "redirect", status: 302, location: "http://" + next + "/from/" + host + "-" + name}
	case "page", "from", "private":
		return &resource{kind: "article", contentType: "text/html; charset=utf-8", body: []byte(faultPage(host + " " + name)), validators: validateETag}
	}
	return nil
}
