package query

import (
	"strconv"
	"strings"
	"unicode"
)

type tokenKind int

const (
	endToken    tokenKind = iota
	wordToken             // a bare word
	prefixToken           // a bare word with * after it
	phraseToken           // text in quotes
	fieldToken            // a known field's name with its colon
	allToken              // *
	openToken
	closeToken
	andToken
	orToken
	notToken
	nearToken
)

type token struct {
	kind tokenKind
	// text is the word, the phrase or the field's name.
	text string
	// distance belongs to nearToken.
	distance int
	column   int
}

// lexer cuts a query into tokens.
type lexer struct {
	runes []rune
	at    int
}

func (x *lexer) peek(n int) rune {
	if x.at+n < len(x.runes) {
		return x.runes[x.at+n]
	}
	return 0
}

func (x *lexer) fail(column int, message, hint string) error {
	return &SyntaxError{Column: column, Message: message, Hint: hint}
}

// mode says where in a query the lexer is.
type mode int

const (
	plainMode mode = iota
	groupMode      // in the parentheses after a field: colons belong to words
	valueMode      // right after a field: leading hyphens belong to words too
)

// next returns the next token.
func (x *lexer) next(m mode) (token, error) {
	for x.at < len(x.runes) && separator(x.runes[x.at]) {
		x.at++
	}
	t := token{column: x.at + 1}
	if x.at == len(x.runes) {
		return t, nil
	}
	switch r := x.runes[x.at]; {
	case opens(r):
		x.at++
		t.kind = openToken
		return t, nil
	case closes(r):
		x.at++
		t.kind = closeToken
		return t, nil
	case doubled(r) && x.peek(1) == r:
		x.at += 2
		t.kind = andToken
		if r == '|' || r == '｜' {
			t.kind = orToken
		}
		return t, nil
	case m != valueMode && negation(r) && x.starts(x.peek(1)):
		x.at++
		t.kind = notToken
		return t, nil
	case isQuote(r) || closing(r) != 0:
		return x.phrase(t)
	case isStar(r):
		x.at++
		if x.starts(x.peek(0)) {
			return t, x.fail(t.column, "a word cannot begin with *", "put the * at the end: 台积* or nvid*")
		}
		t.kind = allToken
		return t, nil
	}
	return x.word(t, m)
}

// starts says that r can begin a part of a query.
func (x *lexer) starts(r rune) bool {
	return r != 0 && !separator(r) && !closes(r) && !isStar(r) && !(negation(r) || doubled(r))
}

func (x *lexer) phrase(t token) (token, error) {
	end := closing(x.runes[x.at])
	x.at++
	var b strings.Builder
	for ; x.at < len(x.runes); x.at++ {
		r := x.runes[x.at]
		switch {
		case r == '\\' && x.at+1 < len(x.runes):
			x.at++
			b.WriteRune(x.runes[x.at])
		case end == 0 && isQuote(r) || r == end && end != 0:
			x.at++
			t.kind, t.text = phraseToken, b.String()
			if !wordy(t.text) {
				return t, x.fail(t.column, "the quotation marks hold no word", "write a word between them or take them away")
			}
			return t, nil
		default:
			b.WriteRune(r)
		}
	}
	return t, x.fail(t.column, "the quotation mark is never closed", `add a " at the end of the phrase`)
}

func (x *lexer) word(t token, m mode) (token, error) {
	var b strings.Builder
	escaped := false
	start := x.at
loop:
	for ; x.at < len(x.runes); x.at++ {
		r := x.runes[x.at]
		switch {
		case r == '\\' && x.at+1 < len(x.runes):
			x.at++
			escaped = true
			b.WriteRune(x.runes[x.at])
		case separator(r), opens(r), closes(r), isQuote(r), closing(r) != 0:
			break loop
		case doubled(r) && x.peek(1) == r:
			break loop
		case r == '*' || r == '＊':
			x.at++
			if x.starts(x.peek(0)) && !opens(x.peek(0)) {
				return t, x.fail(x.at, "* can only stand at the end of a word", `write \* if you mean the character itself`)
			}
			t.kind, t.text = prefixToken, b.String()
			return t, nil
		case isColon(r) && m == plainMode && !escaped && fieldName(b.String()) != "":
			x.at++
			t.kind, t.text = fieldToken, fieldName(b.String())
			return t, nil
		case isColon(r) && m == plainMode && !escaped && latin(b.String()) && x.starts(x.peek(1)):
			return t, x.unknownField(t.column, b.String())
		case isColon(r) && m == plainMode && !digitsAround(x.runes, x.at):
			break loop // 快讯：台积电 are two words
		default:
			b.WriteRune(r)
		}
	}
	if x.at == start { // a colon without a name
		x.at++
		return x.next(m)
	}
	t.kind, t.text = wordToken, b.String()
	if escaped {
		return t, nil
	}
	return x.operator(t)
}

func (x *lexer) unknownField(column int, name string) error {
	hint := "the fields are " + strings.Join(fields(), ", ")
	if f := nearestField(strings.ToLower(narrow(name))); f != "" {
		hint = "did you mean " + f + ":"
	}
	return x.fail(column, "there is no field "+strconv.Quote(name), hint+"; if it is text, put it in quotation marks")
}

// operator returns the operator that the word t is, or t.
func (x *lexer) operator(t token) (token, error) {
	switch op := narrow(t.text); {
	case op == "AND":
		t.kind = andToken
	case op == "OR":
		t.kind = orToken
	case op == "NOT":
		t.kind = notToken
	case op == "NEAR":
		t.kind, t.distance = nearToken, DefaultDistance
	case strings.HasPrefix(op, "NEAR/"):
		n, err := strconv.Atoi(op[len("NEAR/"):])
		if err != nil || n < 0 || n > MaxDistance {
			return t, x.fail(t.column, "NEAR needs a number from 0 to "+strconv.Itoa(MaxDistance), "write NEAR/5")
		}
		t.kind, t.distance = nearToken, n
	}
	return t, nil
}

// isOperator says that the parser would read s as an operator.
func isOperator(s string) bool {
	switch op := narrow(s); op {
	case "AND", "OR", "NOT", "NEAR":
		return true
	default:
		return strings.HasPrefix(op, "NEAR/")
	}
}

// separator says that r stands between words: space and the marks of Chinese
// sentences.
func separator(r rune) bool {
	switch r {
	case '，', '、', '；', '。':
		return true
	}
	return unicode.IsSpace(r)
}

func opens(r rune) bool    { return r == '(' || r == '（' }
func closes(r rune) bool   { return r == ')' || r == '）' }
func isColon(r rune) bool  { return r == ':' || r == '：' }
func isStar(r rune) bool   { return r == '*' || r == '＊' }
func negation(r rune) bool { return r == '-' || r == '!' || r == '－' || r == '！' }
func doubled(r rune) bool  { return r == '&' || r == '|' || r == '＆' || r == '｜' }

// isQuote says that r opens or closes a phrase.
func isQuote(r rune) bool {
	switch r {
	case '"', '“', '”', '„', '＂':
		return true
	}
	return false
}

// closing returns the mark that ends a phrase begun by r, 0 if r begins none or
// ends like the double quotation marks.
func closing(r rune) rune {
	switch r {
	case '「':
		return '」'
	case '『':
		return '』'
	}
	return 0
}

// wordy says that s holds a letter or number, and so a word to look for.
func wordy(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}

func latin(s string) bool {
	for _, r := range narrow(s) {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '_') {
			return false
		}
	}
	return s != ""
}

// digitsAround says that the rune at i stands between digits, as in 12:30.
func digitsAround(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1])
}
