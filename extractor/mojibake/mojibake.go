package mojibake

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Report is what Repair did.
type Report struct {
	// Pieces is how many pieces of text were put right, Lost how many characters
	// of them could not be.
	Pieces, Lost int
	// Was is the encoding the bytes of the first of them are in, ReadAs the one
	// they had been read in.
	Was, ReadAs string
}

// Add adds what another text's report says.
func (r *Report) Add(o Report) {
	if r.Was == "" {
		r.Was, r.ReadAs = o.Was, o.ReadAs
	}
	r.Pieces += o.Pieces
	r.Lost += o.Lost
}

// maxRounds is how often one piece may have been encoded again.
const maxRounds = 3

// Repair returns s with the pieces put right that were encoded twice.
func Repair(s string) (string, Report) {
	var r Report
	if !suspicious(s) {
		return s, r
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		n := strings.IndexAny(s, "<>\"\n")
		if n < 0 {
			n = len(s)
		}
		b.WriteString(r.piece(s[:n]))
		if n == len(s) {
			break
		}
		b.WriteByte(s[n])
		s = s[n+1:]
	}
	return b.String(), r
}

// piece puts one piece right, in several rounds if need be.
func (r *Report) piece(s string) string {
	for round := range maxRounds {
		t, was, as, lost, ok := undo(s)
		if !ok {
			break
		}
		if round == 0 {
			r.Pieces++
		}
		if r.Was == "" {
			r.Was, r.ReadAs = was, as
		}
		r.Lost += lost
		s = t
	}
	return s
}

// undo reverses one round of double encoding.
func undo(s string) (t, was, as string, lost int, ok bool) {
	if ascii(s) {
		return s, "", "", 0, false
	}
	if t, ok = sequences(s); ok {
		return t, "UTF-8", "Latin-1", 0, true
	}
	if t, was, ok = fromLatin(s); ok {
		return t, was, "Latin-1", 0, true
	}
	if t, lost, ok = fromChinese(s, simplifiedchinese.GB18030); ok {
		return t, "UTF-8", "GBK", lost, true
	}
	if t, lost, ok = fromChinese(s, traditionalchinese.Big5); ok {
		return t, "UTF-8", "Big5", lost, true
	}
	return s, "", "", 0, false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// latin returns the byte that a character stands for in Latin-1 or Windows-1252,
// which read the bytes from 0x80 to 0x9f differently.
func latin(r rune) (byte, bool) {
	if r < 0x100 {
		return byte(r), true
	}
	return charmap.Windows1252.EncodeRune(r)
}

// suspicious reports whether s may hold anything to repair: a character that
// begins a sequence of UTF-8 in Latin-1 before one that continues it, two high
// Latin-1 characters that may be one of GBK or Big5, or one of the characters
// that common beginnings of Chinese UTF-8 become in GBK or Big5.
func suspicious(s string) bool {
	prev := rune(0)
	run := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			prev, run = 0, 0
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		if prev >= 0xc2 && prev <= 0xf4 {
			if b, ok := latin(r); ok && b >= 0x80 && b < 0xc0 {
				return true
			}
		}
		if r >= 0xa1 && r <= 0xfe {
			if run++; run >= 4 {
				return true
			}
		} else {
			run = 0
		}
		if strings.ContainsRune(leads, r) {
			return true
		}
		prev = r
	}
	return false
}

// leads are the characters that E3 80, E4 B8, EF BC, E7 9A and other common
// beginnings of Chinese text in UTF-8 become when they are read as GBK or Big5.
const leads = "銆涓锛鐨鏄鍦鍜浜嗕鈥銝嚗蝔瘨嚙蝭"

// sequences undoes UTF-8 read as Latin-1 by each sequence: in a piece of mostly
// sound text such as Investorâ€™s there may be few. All high characters but a
// tenth have to belong to sequences.
func sequences(s string) (string, bool) {
	var b strings.Builder
	high, used, long, found := 0, 0, 0, 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r < utf8.RuneSelf {
			b.WriteByte(s[i])
			i++
			continue
		}
		high++
		if c, n := sequence(s[i:]); n > 0 {
			chars := utf8.RuneLen(c)
			b.WriteRune(c)
			high += chars - 1
			used += chars
			found++
			if chars > 2 || r == 0xc2 || r == 0xc3 {
				long++
			}
			i += n
			continue
		}
		b.WriteString(s[i : i+size])
		i += size
	}
	if found == 0 || long == 0 && found < 3 || 10*used < 9*high {
		return s, false
	}
	return b.String(), true
}

// sequence returns the character that the Latin-1 characters at the start of s
// are the UTF-8 of, and how many bytes of s they take; 0 if they are none.
func sequence(s string) (rune, int) {
	var buf [4]byte
	n, need := 0, 0
	i := 0
	for i < len(s) && n < 4 {
		r, size := utf8.DecodeRuneInString(s[i:])
		c, ok := latin(r)
		if r == utf8.RuneError && n == 2 && buf[0] == 0xe2 && buf[1] == 0x80 {
			c, ok = 0x9d, true // the one byte of ” that Windows-1252 lacks
		}
		if !ok || c < 0x80 {
			return 0, 0
		}
		if n == 0 {
			switch {
			case c >= 0xc2 && c < 0xe0:
				need = 2
			case c >= 0xe0 && c < 0xf0:
				need = 3
			case c >= 0xf0 && c < 0xf5:
				need = 4
			default:
				return 0, 0
			}
		}
		buf[n] = c
		n++
		i += size
		if n == need {
			c, size := utf8.DecodeRune(buf[:n])
			if c == utf8.RuneError || size != n {
				return 0, 0
			}
			return c, i
		}
	}
	return 0, 0
}

// fromLatin undoes GBK or Big5 read as Latin-1: the runs of high characters are
// decoded, and taken if nearly all of them become common Han characters.
func fromLatin(s string) (string, string, bool) {
	raw := make([]byte, 0, len(s))
	high, long, run := 0, 0, 0
	for _, r := range s {
		c, ok := latin(r)
		if !ok {
			return s, "", false
		}
		if c < 0x80 {
			run = 0
		} else if run++; run == 4 {
			long += 4
		} else if run > 4 {
			long++
		}
		if c >= 0x80 {
			high++
		}
		raw = append(raw, c)
	}
	// Letters with accents stand one by one, Chinese characters in rows.
	if long < 4 || 3*long < high {
		return s, "", false
	}
	best, name := "", ""
	score := 0.0
	for _, e := range [...]struct {
		name string
		enc  encoding.Encoding
	}{{"GBK", simplifiedchinese.GBK}, {"Big5", traditionalchinese.Big5}} {
		out, err := e.enc.NewDecoder().Bytes(raw)
		if err != nil {
			continue
		}
		if x := commonShare(string(out)); x > score {
			best, name, score = string(out), e.name, x
		}
	}
	// Half of what short titles consist of is among the commonest characters.
	if score < 0.3 {
		return s, "", false
	}
	return best, name, true
}

// fromChinese undoes UTF-8 read as GBK or Big5. Where the reading lost a byte
// the character is lost; the comma and the stop, which are lost most, are put
// back.
func fromChinese(s string, enc encoding.Encoding) (string, int, bool) {
	han := 0
	for _, r := range s {
		if r >= 0x3400 && r < 0xa000 {
			han++
		}
	}
	if han < 3 {
		return s, 0, false
	}
	raw := make([]byte, 0, len(s))
	e := enc.NewEncoder()
	for i, r := range s {
		if r < utf8.RuneSelf {
			raw = append(raw, byte(r))
			continue
		}
		if r == utf8.RuneError {
			raw = append(raw, '?')
			continue
		}
		c, err := e.String(s[i : i+utf8.RuneLen(r)])
		if err != nil {
			return s, 0, false
		}
		raw = append(raw, c...)
	}
	out, good, lost := decode(raw)
	if good < 2 || 5*lost > good || commonShare(out) <= commonShare(s) || commonShare(out) < 0.2 {
		return s, 0, false
	}
	return out, lost, true
}

// decode reads UTF-8 that has lost bytes, and counts the characters beyond ASCII
// and those that are damaged.
func decode(raw []byte) (s string, good, lost int) {
	var b strings.Builder
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r != utf8.RuneError || size > 1 {
			if r >= utf8.RuneSelf {
				good++
			}
			b.WriteRune(r)
			i += size
			continue
		}
		// A beginning without its end, and what stands for the lost byte.
		n := 1
		for i+n < len(raw) && raw[i+n] >= 0x80 && raw[i+n] < 0xc0 && n < 3 {
			n++
		}
		switch {
		case n == 2 && raw[i] == 0xef && raw[i+1] == 0xbc:
			b.WriteRune('，')
		case n == 2 && raw[i] == 0xe3 && raw[i+1] == 0x80:
			b.WriteRune('。')
		default:
			b.WriteRune(utf8.RuneError)
			lost++
		}
		i += n
		if i < len(raw) && raw[i] == '?' {
			i++
		}
	}
	return b.String(), good, lost
}

// commonShare returns the share of the characters of s beyond ASCII that are
// among the commonest of Chinese text.
func commonShare(s string) float64 {
	n, all := 0, 0
	for _, r := range s {
		if r < utf8.RuneSelf {
			continue
		}
		all++
		if strings.ContainsRune(common, r) {
			n++
		}
	}
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

// common are the commonest characters and marks of Chinese news in both scripts.
const common = "，。、：；！？（）“”《》「」的一是在不了有和人这這中大为為上个個国國我以要他时時来來用们們生到作地于於出就分对對成会會可主发發年动動同工也能下过過子说說产產种種面而方后後多定行学學法所民得经經十三之进進着等部度家电電力里如水化高自二理起小物现現实實加量都两兩体體制机機当當使点點从從业業本去把性好应應开開它合还還因由其些然前外天政四日那社义義事平形相全表间間样樣与與关關各重新线線内內数數正心反你明看原又么麼利比或但质質气氣第向道命此变變条條只没沒结結解问問意建月公无無系軍军很情者最立代想已通并並提直题題黨党程展五果料象员員革位入常文总總次品式活设設及管特件长長求老头頭基资資边邊流路级級少图圖山统統接知较較将將组組见見计計别別她手角期根论論运運农農指几幾九区區强強放决決西被干做必战戰先回则則任取据處处府研究报報股市价價格晶芯片半导導体投企司美亚亞术術技金亿億万萬元创創科造增长首记記者网網信息今际際台灣湾北京海東东"
