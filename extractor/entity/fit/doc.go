// Package fit trains the statistical taggers (package tagger) and measures them.
//
// What is shipped learns from texts that may be used, and no others: for English
// the Broad Twitter Corpus and the training part of WNUT17 (both CC BY 4.0), for
// both languages articles under CC BY-SA, Apache-2.0 or MIT (see Usable), in which
// the lexicon and the rules have marked names. Half of the lexicon's names in each
// article are hidden from the tagger and are what it learns to find; many are
// exchanged for other names, so that it learns where names stand rather than
// which there are. The Chinese word list is that of gse (Apache-2.0).
//
// CLUENER, the test part of WNUT17 and wikigold only measure: for CLUENER a tagger
// of its ten kinds, which reads the whole sentence (tagger.TrainWide), is trained on
// its training part and thrown away.
package fit
