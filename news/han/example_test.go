package han_test

import (
	"fmt"
	"strings"

	"xinwen/news/han"
)

func ExampleFold() {
	text := "英偉達（ＮＶＩＤＩＡ）發布新晶片"
	s := han.Fold(text)
	at := strings.Index(s.Text, "nvidia")
	start, end := s.Original(at, at+len("nvidia"))
	fmt.Println(s.Text)
	fmt.Println(text[start:end])
	// Output:
	// 英伟达(nvidia)发布新晶片
	// ＮＶＩＤＩＡ
}
