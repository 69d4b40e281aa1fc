package query

import (
	"slices"
	"strings"
)

// Fields of the language.
const (
	FieldTitle     = "title"
	FieldText      = "text"
	FieldEntity    = "entity"
	FieldKind      = "kind"      // kinds of the entities mentioned
	FieldSource    = "source"    // ID of the source
	FieldLang      = "lang"      // zh or en; in a query also zh-Hans, zh-Hant
	FieldScript    = "script"    // Hans, Hant, mixed, Latn
	FieldID        = "id"        // ID of the article
	FieldURL       = "url"       // canonical URL
	FieldAuthor    = "author"    // authors, editor, reporter
	FieldCredit    = "credit"    // medium a text was taken from
	FieldTopic     = "topic"     // IDs of what the article is about, as in news.Topic
	FieldPublished = "published" // news.Article.Time
	FieldFetched   = "fetched"
)

// KeywordFields are the fields that Keyword compares whole values in.
func KeywordFields() []string {
	return []string{FieldKind, FieldSource, FieldLang, FieldScript, FieldID, FieldURL, FieldAuthor, FieldCredit, FieldTopic}
}

// fields returns all fields of the language.
func fields() []string {
	return append([]string{FieldTitle, FieldText, FieldEntity, FieldPublished, FieldFetched}, KeywordFields()...)
}

type fieldKind int

const (
	unknownField fieldKind = iota
	textField
	entityField
	keywordField
	timeField
)

func kindOf(field string) fieldKind {
	switch field {
	case FieldTitle, FieldText:
		return textField
	case FieldEntity:
		return entityField
	case FieldPublished, FieldFetched:
		return timeField
	}
	if slices.Contains(KeywordFields(), field) {
		return keywordField
	}
	return unknownField
}

// fieldName returns the field that a name in a query means, "" if none.
func fieldName(name string) string {
	switch name {
	case "标题", "標題":
		return FieldTitle
	case "正文", "內文", "内文":
		return FieldText
	case "实体", "實體":
		return FieldEntity
	case "来源", "來源":
		return FieldSource
	case "语言", "語言":
		return FieldLang
	case "主题", "主題":
		return FieldTopic
	case "作者":
		return FieldAuthor
	case "发布", "發佈", "發布":
		return FieldPublished
	}
	if name = strings.ToLower(narrow(name)); kindOf(name) == unknownField {
		return ""
	}
	return name
}

// nearestField returns the known field that differs from name by at most two
// letters, "" if none does.
func nearestField(name string) string {
	best, least := "", 3
	for _, f := range fields() {
		if d := distance(name, f); d < least {
			best, least = f, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost++
			}
			last = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// narrow turns full-width ASCII into ASCII.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return r
	}, s)
}
