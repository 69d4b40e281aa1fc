package lexicon_test

import (
	"fmt"

	"xinwen/news/lexicon"
)

func ExampleLexicon_Lookup() {
	l, err := lexicon.Builtin()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"英伟达", "輝達", "NVDA", "台積電", "2330.TW", "SK 海力士"} {
		for _, id := range l.Lookup(name) {
			e, _ := l.Entity(id)
			fmt.Println(name, "→", id, e.En, e.ZhHans, e.ZhHant)
		}
	}
	// Output:
	// 英伟达 → org:nvidia NVIDIA 英伟达 輝達
	// 輝達 → org:nvidia NVIDIA 英伟达 輝達
	// NVDA → org:nvidia NVIDIA 英伟达 輝達
	// 台積電 → org:tsmc TSMC 台积电 台積電
	// 2330.TW → org:tsmc TSMC 台积电 台積電
	// SK 海力士 → org:sk-hynix SK hynix SK海力士 SK海力士
}
