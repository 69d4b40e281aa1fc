// Package crf is a linear-chain conditional random field: it gives each place of
// a sequence one of a few labels, by the features of the place and by the label
// before it.
//
// Features are 32-bit hashes, whatever they are made of; a feature is there or
// not. Train fits a Model to labelled sequences, Pack rounds its weights to eight
// bits and writes it, Unpack reads it back. Labels are outside, or a kind with
// the place in a name (see Labels), and only sequences that make whole names are
// possible.
//
// A Model never changes after Unpack or Train and is safe for concurrent use;
// what one sequence needs to be decoded is in a Decoder.
package crf
