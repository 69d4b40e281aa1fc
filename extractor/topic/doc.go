// Package topic says what an article is about: export control, capacity, prices
// and the like.
//
// A topic has terms and entities, each with a weight (see rules.go). What of
// them an article names adds up, the more the oftener but ever less so, twice
// as much in the title; a topic whose sum reaches 2 is the article's. The score
// is sum/(sum+2), so 0.5 and more, and every topic tells the words it rests on.
// Nothing is learnt: who doubts a topic reads its rule.
package topic
