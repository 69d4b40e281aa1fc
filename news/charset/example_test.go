package charset_test

import (
	"fmt"

	"xinwen/news/charset"
)

func ExampleDecode() {
	// A GBK page whose server says UTF-8.
	page := []byte("<p>\xd0\xbe\xc6\xac\xb5\xc4\xbc\xdb\xb8\xf1\xa3\xac\xd4\xda\xc9\xcf\xd5\xc7\xa1\xa3</p>")
	text, found := charset.Decode(page, "text/html; charset=utf-8")
	fmt.Println(text, found.Name, found.Lied())
	// Output: <p>芯片的价格，在上涨。</p> gb18030 true
}
