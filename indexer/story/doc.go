// Package story puts articles that tell of one event into one story, across
// languages and scripts, as they come in.
//
// An article is reduced to features of its title and lead: the entities it
// mentions, amounts, dates, names, what happens (a small bilingual list), and
// words. Two articles of one language are compared by all of them, others by what
// languages share. What is rare among the articles of the last days weighs most.
//
// A Tracker takes articles in the order of the stream and says to which story
// each belongs. It looks back a few days only. What it answers follows from the
// messages and their order alone: a Tracker that is filled from an index goes on
// exactly as the one before would have.
package story
