// Package han brings Chinese and Latin text into the one form in which Xinwen
// compares text, and tells which script a text is written in.
//
// Fold makes a shadow text: compatibility forms and case are folded rune by
// rune (full width, ligatures, accents, dashes, quotes), then Traditional
// Chinese becomes Simplified. 英偉達 and 英伟达, ＨＢＭ３Ｅ and hbm3e have the
// same shadow, and every offset in it leads back to the original.
//
// Vocabulary is not script: 輝達 folds to 辉达, and that it means 英伟达 is for
// the lexicon to know.
//
// Traditional goes the other way, for people to read: it is never compared.
//
// Conversion uses the dictionaries of Open Chinese Convert (Apache-2.0, in
// folder opencc): the longest phrase first, then single characters.
package han
