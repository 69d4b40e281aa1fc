package charset

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const (
	hansPage = `<html><head>%<title>晶圆厂扩产</title></head><body><p>公司表示，这条新的生产线将在明年第三季度开始试产，主要生产用于汽车的芯片。</p></body></html>`
	hantPage = `<html><head>%<title>晶圓廠擴產</title></head><body><p>公司表示，這條新的產線將在明年第三季開始試產，主要生產用於汽車的晶片。</p></body></html>`
)

func page(t *testing.T, e encoding.Encoding, template, meta string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(strings.Replace(template, "%", meta, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	gb, big5 := simplifiedchinese.GBK, traditionalchinese.Big5
	late := "<script>" + strings.Repeat("var a = 1;\n", 400) + "</script>"
	tests := []struct {
		name, contentType string
		body              []byte
		want              string
		contains          string
	}{
		{"gbk-labelled-gb2312", "text/html", page(t, gb, hansPage, `<meta charset="gb2312">`), "gb18030", "晶圆厂扩产"},
		{"gbk-label-late", "text/html", page(t, gb, hansPage, late+`<meta charset="gbk">`), "gb18030", "晶圆厂扩产"},
		{"gbk-unlabelled", "", page(t, gb, hansPage, ""), "gb18030", "晶圆厂扩产"},
		{"gbk-labelled-utf-8", "text/html; charset=utf-8", page(t, gb, hansPage, `<meta charset="utf-8">`), "gb18030", "晶圆厂扩产"},
		{"utf-8-labelled-gb2312", "text/html; charset=gb2312", []byte(strings.Replace(hansPage, "%", `<meta charset="gb2312">`, 1)), "utf-8", "晶圆厂扩产"},
		{"utf-8-cut", "", []byte(hansPage[:len(hansPage)-len("。</p></body></html>")+1]), "utf-8", "汽车的芯片"},
		{"utf-8-with-bad-bytes", "", append([]byte(hansPage), 0xff, 0xfe), "utf-8", "汽车的芯片"},
		{"big5-unlabelled", "", page(t, big5, hantPage, ""), "big5", "晶圓廠擴產"},
		{"big5-labelled-gbk", "text/html; charset=gbk", page(t, big5, hantPage, ""), "big5", "晶圓廠擴產"},
		{"hant-in-gbk", "", page(t, gb, hantPage, ""), "gb18030", "晶圓廠擴產"},
		{"short-gbk-labelled", "text/html; charset=gbk", page(t, gb, "<p>芯片涨价</p>", ""), "gb18030", "芯片涨价"},
		{"windows-1252-unlabelled", "", []byte("<p>It\x92s a caf\xe9, isn\x92t it? A fab in Dresden.</p>"), "windows-1252", "It’s a café"},
		{"windows-1251-labelled", "text/html; charset=windows-1251", page(t, charmap.Windows1251, "<p>Завод в Дрездене начинает выпуск микросхем</p>", ""), "windows-1251", "Завод"},
		{"euc-kr-labelled", "text/html; charset=euc-kr", page(t, korean.EUCKR, "<p>삼성전자는 평택에서 새 메모리 생산 라인을 가동한다</p>", ""), "euc-kr", "삼성전자"},
		{"shift-jis-labelled", "text/html; charset=Shift_JIS", page(t, japanese.ShiftJIS, "<p>東京エレクトロンは新しい製造装置を発表した</p>", ""), "shift_jis", "東京エレクトロン"},
		{"iso-2022-jp-labelled", "text/html; charset=iso-2022-jp", page(t, japanese.ISO2022JP, "<p>東京の半導体</p>", ""), "iso-2022-jp", "東京の半導体"},
		{"utf-8-bom", "text/html; charset=gbk", []byte("\ufeff" + hansPage), "utf-8", "晶圆厂扩产"},
		{"utf-16le-bom", "", page(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), hansPage, ""), "utf-16le", "晶圆厂扩产"},
		{"utf-16be-without-bom", "", page(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), hansPage, ""), "utf-16be", "晶圆厂扩产"},
		{"ascii", "", []byte("<p>plain</p>"), "utf-8", "plain"},
		{"empty", "", nil, "utf-8", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, r := Decode(tt.body, tt.contentType)
			if r.Name != tt.want {
				t.Errorf("encoding: got %+v, want %s", r, tt.want)
			}
			if !strings.Contains(text, tt.contains) {
				t.Errorf("text: got %q, want it to contain %q", text, tt.contains)
			}
			if strings.HasPrefix(text, "\ufeff") {
				t.Error("the byte order mark is still there")
			}
		})
	}
}

func TestDecodeMakesPrologHarmless(t *testing.T) {
	body := page(t, simplifiedchinese.GBK, `<?xml version="1.0" encoding='GB2312'?><rss><title>芯片新闻</title></rss>`, "")
	got, _ := Decode(body, "application/xml")
	want := `<?xml version="1.0" encoding='utf-8'?><rss><title>芯片新闻</title></rss>`
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLied(t *testing.T) {
	_, r := Decode([]byte(strings.Replace(hansPage, "%", `<meta charset="gb2312">`, 1)), "")
	if !r.Lied() {
		t.Errorf("got %+v, want a label that lied", r)
	}
}

// TestMetaCharset runs the encoding sniffing cases of html5lib.
func TestMetaCharset(t *testing.T) {
	for _, file := range []string{"tests1.dat", "tests2.dat"} {
		data, err := os.ReadFile(filepath.Join("../../../shared/data/crawl/encoding-html5lib", file))
		if err != nil {
			t.Skip("no html5lib encoding cases beside the project")
		}
		pass, all := 0, 0
		for _, c := range bytes.Split(data, []byte("#data\n"))[1:] {
			body, want, ok := bytes.Cut(c, []byte("#encoding\n"))
			if !ok {
				continue
			}
			body = bytes.TrimSuffix(body, []byte("\n"))
			want, _, _ = bytes.Cut(want, []byte("\n"))
			all++
			// The standard's default is windows-1252; ours for plain ASCII
			// is UTF-8, which reads it the same.
			got := "windows-1252"
			if _, r := detect(body, ""); r.Source != "default" {
				got = r.Name
			}
			if e := byName(string(want)); e != nil && name(e) == got {
				pass++
			} else {
				t.Logf("%s: got %s, want %s for %q", file, got, want, body)
			}
		}
		t.Logf("%s: %d of %d", file, pass, all)
		if pass < all {
			t.Errorf("%s: got %d of %d, want all", file, pass, all)
		}
	}
}

// TestRealPages decodes real Chinese pages as they are, and as they would be
// with missing and lying labels: seven cases, each without a single mistake.
func TestRealPages(t *testing.T) {
	root := "../../../shared/data/extraction"
	ids, err := os.ReadFile(filepath.Join(root, "dev.txt"))
	if err != nil {
		t.Skip("no extraction pages beside the project")
	}
	charset := regexp.MustCompile(`(?i)charset\s*=\s*["']?[\w-]+`)
	right, all := make(map[string]int), make(map[string]int)
	check := func(t *testing.T, id, kind string, body []byte, want string) {
		all[kind]++
		if _, r := detect(body, "text/html"); r.Name == want {
			right[kind]++
		} else {
			t.Errorf("%s, %s: got %+v, want %s", id, kind, r, want)
		}
	}
	for id := range strings.FieldsSeq(string(ids)) {
		set, _, _ := strings.Cut(id, "/")
		if set != "gne" && set != "cwced" && set != "cx163" && set != "magic" && set != "twnews" && set != "fundus" {
			continue
		}
		body := readGzip(t, filepath.Join(root, set, "html", strings.TrimPrefix(id, set+"/")+".html.gz"))
		if body == nil {
			continue
		}
		if !utf8.Valid(body) && utf8.Valid(body[:bytes.LastIndexByte(body, '<')]) {
			body = body[:bytes.LastIndexByte(body, '<')] // was read in part
		}
		if utf8.Valid(body) {
			if !bytes.ContainsFunc(body, func(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF }) {
				continue
			}
			check(t, id, "utf-8 as is", body, "utf-8")
			check(t, id, "utf-8 labelled gb2312", charset.ReplaceAll(body, []byte("charset=gb2312")), "utf-8")
			cut := bytes.LastIndexFunc(body, func(r rune) bool { return r >= 0x4E00 && r <= 0x9FFF })
			check(t, id, "utf-8 cut mid-rune, unlabelled", charset.ReplaceAll(body[:cut+2], nil), "utf-8")
			if gb, err := simplifiedchinese.GBK.NewEncoder().Bytes(charset.ReplaceAll(body, []byte("charset=utf-8"))); err == nil {
				check(t, id, "gbk labelled utf-8", gb, "gb18030")
			}
			if big5, err := traditionalchinese.Big5.NewEncoder().Bytes(charset.ReplaceAll(body, nil)); err == nil {
				check(t, id, "big5 unlabelled", big5, "big5")
			}
			continue
		}
		check(t, id, "gbk as is", body, "gb18030")
		check(t, id, "gbk unlabelled", charset.ReplaceAll(body, nil), "gb18030")
	}
	for kind, n := range all {
		t.Logf("%-32s %d of %d", kind, right[kind], n)
	}
}

func readGzip(t *testing.T, path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(io.LimitReader(z, 100<<10)) // labels and text enough
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestReplayPages(t *testing.T) {
	root := "../../../shared/data/replay"
	data, err := os.ReadFile(filepath.Join(root, "index.json"))
	if err != nil {
		t.Skip("no saved pages beside the project")
	}
	var pages []struct{ File, Encoding string }
	if err := json.Unmarshal(data, &pages); err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		body, err := os.ReadFile(filepath.Join(root, p.File))
		if err != nil {
			t.Fatal(err)
		}
		if text, r := Decode(body, "text/html"); r.Name != p.Encoding {
			t.Errorf("%s: got %+v, want %s", p.File, r, p.Encoding)
		} else if r.Replaced*100 > utf8.RuneCountInString(text) {
			t.Errorf("%s: %d characters could not be decoded", p.File, r.Replaced)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(hansPage), "text/html; charset=gbk")
	f.Add([]byte("<?xml encoding='big5'?>\xa4\xa4"), "")
	f.Add([]byte("<meta charset='"), "charset=\"")
	f.Add([]byte("\xff\xfe<\x00"), "text/html;;charset")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		text, r := Decode(body, contentType)
		if !utf8.ValidString(text) {
			t.Fatalf("%+v: not UTF-8: %q", r, text)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(strings.Repeat(hansPage, 300)))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		Decode(body, "text/html")
	}
}
