package simweb

import (
	"fmt"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// encodings are those that pages and feeds can really be in. GB2312 has no
// entry: it is a part of GBK, and pages that declare it are written as GBK.
var encodings = map[string]encoding.Encoding{
	"gbk":          simplifiedchinese.GBK,
	"gb18030":      simplifiedchinese.GB18030,
	"big5":         traditionalchinese.Big5,
	"windows-1252": charmap.Windows1252,
}

// encode turns text into the named encoding. What the encoding lacks becomes a
// character reference, as browsers and content systems do it.
func encode(text, name string) ([]byte, error) {
	if name == "utf-8" {
		return []byte(text), nil
	}
	enc, ok := encodings[name]
	if !ok {
		return nil, fmt.Errorf("unknown encoding %q", name)
	}
	return encoding.HTMLEscapeUnsupported(enc.NewEncoder()).Bytes([]byte(text))
}
