// Package tagger finds names of persons, organisations and places that no
// lexicon has, by conditional random fields (package crf): one over the
// characters of Chinese text, one over the words of English.
//
// A sentence is cut into units: a Chinese character, a word of letters, a run of
// digits, a mark. The features of a unit are its neighbours, the dictionary words
// that cover it, the brackets it stands in, the shape of its letters, and the
// names that are known already, which the caller gives. TrainWide's taggers, which are
// for measuring, also see what the sentence is about and names of other sentences.
package tagger
