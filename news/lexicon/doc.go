// Package lexicon holds the entities that news names: companies, people,
// products, technologies, process nodes and places, each with its names in
// Simplified Chinese, Traditional Chinese and English, its aliases and tickers.
// The gazetteer finds their mentions in text; a query says "entity:" with any of
// their names. 英伟达, 英偉達, 輝達 and NVIDIA are one.
//
// A Lexicon is an immutable snapshot. Builtin and Load make one from data files,
// a Store exchanges it while the program runs.
//
// # Files
//
// A lexicon file is a YAML list of entities:
//
//   - id: org:tsmc
//     en: TSMC
//     zh_hans: 台积电
//     zh_hant: 台積電
//     aliases: [Taiwan Semiconductor Manufacturing, 台湾积体电路制造]
//     tickers: [TWSE:2330, NYSE:TSM]
//   - id: org:nvidia
//     en: NVIDIA
//     zh_hans: 英伟达
//     zh_hant: 輝達
//     hk: [英偉達]
//     tickers: [NASDAQ:NVDA]
//   - id: org:arm
//     en: Arm
//     zh_hans: 安谋
//     zh_hant: 安謀
//     aliases:
//   - {text: Arm, case: true}
//   - {text: ARM, case: true}
//     tickers: [NASDAQ:ARM]
//     parent: org:softbank
//   - {id: place:hsinchu, en: Hsinchu, zh_hans: 新竹, zh_hant: 新竹}
//
// The keys of an entity:
//
//	id       kind:slug, never changed once published. The kind is org, person,
//	         place, product, tech or node
//	en       the common English name; required
//	zh_hans  the name in mainland Chinese
//	zh_hant  the name in Taiwan
//	aliases  further surface forms used anywhere
//	cn tw hk further words of the mainland, of Taiwan, of Hong Kong
//	tickers  EXCHANGE:SYMBOL, the main listing first
//	parent   the ID of the entity it belongs to: a subsidiary's group, a product's
//	         maker, a town's country
//	note     for whoever edits the file
//	remove   aliases of the built-in entity that are not wanted (own files only)
//
// A Chinese name is left out where Chinese text uses the Latin one. Surface forms
// are compared by Key: script, letter case, width, spaces, hyphens and middle
// dots make no difference, so "SK海力士" also stands for "SK 海力士" and
// 台积电 for 台積電, and listing both is a fault.
//
// An alias is text, or a mapping of text and rules where the text alone does not
// say which entity is meant:
//
//	case: true   the letters exactly as written: ARM and Arm, but not arm
//	near: […]    one of these terms is somewhere in the article; an ID among them
//	             stands for that entity's forms without rules
//	not: […]     a longer term that contains the alias rules out the places where
//	             it stands (三星堆 for 三星), any other term the whole article
//	weak: true   only where another form of the entity is in the article
//	abbrev: true the place's abbreviation to one character, 美 for 美国: only
//	             where its neighbours show it, as in 中美 and 对美
//
// All rules of an alias must hold. Terms are compared folded, as text is. To
// give a rule to a name, list an alias with the same text.
//
// Two entities may share a form only if one of them has a near, not, weak or
// abbrev rule for it. All faults of all files are reported at once, with file,
// line and what to do.
//
// # Own files
//
// Files of the operator have the same form. An entity with the ID of a built-in
// one adds to it: aliases and tickers are joined; a name replaces the built-in
// one, which stays as an alias; an alias that is there already gets the new rules. Origin says
// where an entity and an alias come from.
package lexicon
