package head

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestRead(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(`<html><head><meta charset=gbk><title>芯片日报_首页</title></head>`)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		page string
		want Head
	}{
		"all": {
			`<!doctype html><html><head><title> Chips &amp;
			more </title><link rel="canonical" href="/a/1"><link rel=amphtml href="https://amp.news.example/a/1">
			<link rel="alternate" media="only screen and (max-width: 640px)" href="//m.news.example/a/1"></head><body><link rel=canonical href=/late>`,
			Head{Title: "Chips & more", Canonical: "https://news.example/a/1", AMP: "https://amp.news.example/a/1", Mobile: "https://m.news.example/a/1"},
		},
		"amp":          {`<html ⚡ lang=en><link rel=canonical href=1.html>`, Head{IsAMP: true, Canonical: "https://news.example/a/1.html"}},
		"base":         {`<base href="https://other.example/x/"><link rel=canonical href=1>`, Head{Canonical: "https://other.example/x/1"}},
		"first-counts": {`<link rel=canonical href=1><link rel=canonical href=2>`, Head{Canonical: "https://news.example/a/1"}},
		"not-a-page":   {`<link rel=canonical href="javascript:x"><link rel=alternate href=/feed>`, Head{}},
		"gbk":          {gbk, Head{Title: "芯片日报_首页"}},
		"text":         {"no markup at all", Head{}},

		"refresh":             {`<meta http-equiv=Refresh content="0; URL='/b,1?x=2'">`, Head{Refresh: "https://news.example/b,1?x=2"}},
		"refresh-comma":       {`<meta http-equiv=refresh content="3,url=b">`, Head{Refresh: "https://news.example/a/b"}},
		"refresh-bare":        {`<meta http-equiv=refresh content="1;//other.example/">`, Head{Refresh: "https://other.example/"}},
		"refresh-late":        {`<meta http-equiv=refresh content="600;url=b">`, Head{}},
		"refresh-of-itself":   {`<meta http-equiv=refresh content="5">`, Head{}},
		"refresh-to-a-script": {`<meta http-equiv=refresh content="0;url=javascript:x()">`, Head{}},
		"empty":               {"", Head{}},
	}
	for name, tc := range tests {
		if diff := cmp.Diff(tc.want, Read([]byte(tc.page), "text/html", "https://news.example/a/0")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<title>x</title><link rel=canonical href="http://[">`), "https://news.example/")
	f.Add([]byte(`<base href="%zz"><link rel=canonical`), "::")
	f.Fuzz(func(_ *testing.T, body []byte, pageURL string) { Read(body, "text/html", pageURL) })
}
