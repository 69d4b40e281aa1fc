package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Result says what was found.
type Result struct {
	// Name is the encoding as the WHATWG names it, in lower case, such as
	// "utf-8", "gb18030" or "big5".
	Name string
	// Source is what decided: "bom", "utf-8" (the bytes are UTF-8), "content"
	// (the best score), "header", "prolog" or "meta" (a label), or "default".
	Source string
	// Label is the encoding that header, prolog or meta named, "" if none did.
	Label string
	// Replaced counts the characters that could not be decoded; only Decode
	// sets it.
	Replaced int
}

// Lied reports whether a label named an encoding that the bytes are not in.
func (r Result) Lied() bool { return r.Label != "" && r.Label != r.Name }

const (
	// sampleBytes is how much of a document, from its first byte beyond ASCII
	// on, is decoded to score it.
	sampleBytes = 128 << 10
	// tolerance is the share of bad bytes below which text counts as UTF-8.
	tolerance = 0.05
	// labelBonus is what a label adds to the score of its encoding.
	labelBonus = 0.1
	// convincing is the score from which Chinese is believed without a label.
	convincing = 0.12
)

// Detect returns the encoding of an HTML, XML, JSON or text document.
func Detect(body []byte, contentType string) Result {
	_, r := detect(body, contentType)
	return r
}

// Decode returns a document as UTF-8 without byte order mark. Characters that
// cannot be decoded become U+FFFD. The encoding in an XML declaration is set
// to utf-8, so that no parser decodes it again.
func Decode(body []byte, contentType string) (string, Result) {
	e, r := detect(body, contentType)
	var text string
	if r.Name == "utf-8" {
		text = strings.ToValidUTF8(string(body), "\ufffd")
	} else {
		out, err := e.NewDecoder().Bytes(body)
		if err != nil { // decoders replace what they cannot read
			out = bytes.ToValidUTF8(body, []byte("\ufffd"))
		}
		text = string(out)
	}
	text = strings.TrimPrefix(text, "\ufeff")
	r.Replaced = strings.Count(text, "\ufffd")
	head := []byte(text[:min(len(text), 1024)])
	if start, end := prologEncodingSpan(head); end > start {
		text = text[:start] + "utf-8" + text[end:]
	}
	return text, r
}

func detect(body []byte, contentType string) (encoding.Encoding, Result) {
	named, source := label(body, contentType)
	var r Result
	if named != nil {
		r.Label = name(named)
	}
	if e, n := markOrZeros(body); e != nil {
		r.Name, r.Source = n, "bom"
		return e, r
	}
	s := scanUTF8(body)
	switch {
	case s.ascii && named != nil:
		r.Name, r.Source = r.Label, source
		return named, r
	case s.ascii:
		r.Name, r.Source = "utf-8", "default"
		return unicode.UTF8, r
	case s.bad == 0, float64(s.bad) < tolerance*float64(s.multi):
		r.Name, r.Source = "utf-8", "utf-8"
		return unicode.UTF8, r
	}
	sample := body[bytes.IndexFunc(body, func(r rune) bool { return r >= utf8.RuneSelf }):]
	sample = sample[:min(len(sample), sampleBytes)]
	best, bestName, bestScore := encoding.Encoding(nil), "", convincing
	for _, c := range []struct {
		name string
		e    encoding.Encoding
	}{{"gb18030", simplifiedchinese.GB18030}, {"big5", traditionalchinese.Big5}} {
		got := score(c.e, sample)
		if c.name == r.Label {
			got += labelBonus
		}
		if got > bestScore {
			best, bestName, bestScore = c.e, c.name, got
		}
	}
	if best != nil && !contradicts(named, r.Label, sample, bestScore) {
		r.Name, r.Source = bestName, "content"
		return best, r
	}
	if named != nil && r.Label != "utf-8" {
		r.Name, r.Source = r.Label, source
		return named, r
	}
	e, _ := htmlindex.Get("windows-1252")
	r.Name, r.Source = "windows-1252", "default"
	return e, r
}

// contradicts says that a label of another East Asian encoding explains the
// bytes better than the best Chinese candidate.
func contradicts(named encoding.Encoding, label string, sample []byte, best float64) bool {
	switch label {
	case "euc-kr", "shift_jis", "euc-jp", "iso-2022-jp":
		return score(named, sample)+labelBonus >= best || cleanly(named, sample)
	}
	return false
}

// cleanly reports whether e decodes sample with hardly a replacement.
func cleanly(e encoding.Encoding, sample []byte) bool {
	out, err := e.NewDecoder().Bytes(sample)
	if err != nil {
		return false
	}
	return bytes.Count(out, []byte("\ufffd"))*200 <= utf8.RuneCount(out)
}

// markOrZeros recognises byte order marks, and UTF-16 and UTF-32 by the zero
// bytes around a leading "<".
func markOrZeros(b []byte) (encoding.Encoding, string) {
	switch {
	case bytes.HasPrefix(b, []byte{0, 0, 0xFE, 0xFF}), bytes.HasPrefix(b, []byte{0, 0, 0, '<'}):
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "utf-32be"
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), "utf-32le"
	case bytes.HasPrefix(b, []byte{'<', 0, 0, 0}):
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), "utf-32le"
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		return unicode.UTF8, "utf-8"
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}), bytes.HasPrefix(b, []byte{0, '<', 0}):
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf-16be"
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{'<', 0}) && len(b) > 3 && b[3] == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), "utf-16le"
	}
	return nil, ""
}

type utf8Scan struct {
	ascii bool
	multi int // characters beyond ASCII
	bad   int // bytes that are not UTF-8
}

// scanUTF8 counts what speaks for and against UTF-8. A last character that is
// cut off does not count as bad.
func scanUTF8(b []byte) utf8Scan {
	s := utf8Scan{ascii: true}
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		s.ascii = false
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(b[i:]) {
				return s
			}
			s.bad++
		} else {
			s.multi++
		}
		i += n
	}
	return s
}

// common are the commonest Chinese characters of both scripts and the
// punctuation between them.
const common = "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长" +
	"這個來國說們為時會過學對後麼沒於還發當無開見經頭動兩長與將業務產業電機關報導記者新聞" +
	"业务产电机关报导记者新闻月日市场企技术第二四五六七八九分高度等部全体体" +
	"，。、；：？！“”‘’（）《》「」『』…—　"

var isCommon = func() (set [1 << 16]bool) {
	for _, r := range common {
		set[r] = true
	}
	return set
}()

// score decodes b and returns the share of common characters among those
// beyond ASCII, less three times the share of replacements.
func score(e encoding.Encoding, b []byte) float64 {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return -1
	}
	var total, hits, bad int
	for _, r := range string(out) {
		switch {
		case r < utf8.RuneSelf:
			continue
		case r == utf8.RuneError:
			bad++
		case r < 1<<16 && isCommon[r]:
			hits++
		}
		total++
	}
	if total == 0 {
		return 0
	}
	return float64(hits-3*bad) / float64(total)
}

func name(e encoding.Encoding) string {
	n, err := htmlindex.Name(e)
	if err != nil {
		return ""
	}
	return n
}
