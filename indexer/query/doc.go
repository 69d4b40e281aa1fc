// Package query is the language that people search and write alert rules in:
// its parser, its tree, what each part of the tree means, and an evaluator that
// tests one article against many queries.
//
// # Language
//
//	台积电 涨价              both (also 台积电 AND 涨价, 台积电 && 涨价)
//	台积电 OR 三星           at least one (also ||)
//	NOT 手机, -手机, !手机    articles without it
//	(台积电 OR 三星) 涨价     parentheses
//	"先进 封装"              one directly after the other (also “”「」『』)
//	台积电 NEAR/5 涨价       at most 5 characters or words between, either order
//	nvid*                   words that begin so
//	title:涨价              in the title only; also title:(a OR b), text:
//	entity:nvidia           mentions the entity, by ID, name or alias
//	source: lang: script: kind: author: credit: id: url:
//	published:2025-11-01..2025-11-17, published:2025-11, published:>=2025-11-01T08:00,
//	fetched:…               a span of time
//	*                       every article
//
// NOT binds tightest, then NEAR, AND (which may be left out), OR. Operators are
// in capitals. Full-width letters, parentheses, colons and quotation marks mean
// the same as ASCII ones; Chinese commas and full stops separate words. A
// backslash takes the meaning from the character after it.
//
// # Meaning
//
// All text is compared in the form of package analysis: 台積電, 台积电 and any
// width or letter case are one. Package analysis makes two streams of tokens of
// title and text: words, and grams. A gram is a Chinese character with its
// successor (the last of a run alone) or a whole Latin word or number. What
// matches is decided on grams, so it does not depend on how a text was cut into
// words:
//
//   - Text is cut into words. Each word of two or more characters must stand in
//     the article, as written, in title or text; a Latin word must stand there
//     as a whole word. A lone Chinese character between longer words (的 in
//     台积电的涨价) must be there as a word or next to the character it stands
//     next to in the query; several in a row (黄仁勋, unless the lexicon knows
//     him) count as one word. So do Latin words with only a mark between (AT&T,
//     wafer-level) and a character with the Latin word it touches (A股).
//   - Phrase: its grams at the same distances. Punctuation and space have no
//     width.
//   - Prefix: a Latin word beginning so; Chinese writing has no ends of words, so
//     台积* is "台积".
//   - Near: occurrences of both sides in one field that do not overlap, with at
//     most n positions between them. A position is a Chinese character or a
//     Latin word. An Entity stands where it is mentioned.
//   - Not is exact: what the rest does not match.
//   - Keyword compares folded values; lang:zh-Hans is lang:zh with script:Hans.
//   - Range of published uses news.Article.Time.
//
// Expand adds, to words and phrases that are as a whole the name of an entity,
// the entity itself; so 英伟达, 英偉達, 輝達 and NVIDIA find each other.
//
// It also adds what a word is called on the other side of the strait (晶片 and
// 芯片, 伺服器 and 服务器): see synonyms.txt.
//
// Lower turns a tree into Clauses, the few things that an engine can look up.
// All engines compile these, so they agree.
package query
