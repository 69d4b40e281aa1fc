package main

import "xinwen/extractor/metadata"

// prior is what the votes are taken to weigh before any page is seen. Weights
// are pulled towards it, and places that the pages do not have, such as a feed,
// keep it.
var prior = metadata.Model{
	metadata.Title: {Base: -1.5, Votes: map[string]float64{
		"heading stated": 2.5, "heading h1": 1, "heading only": 0.5, "heading last": 0.5, "heading alike": 1, "microdata": 1.5,
		"json-ld": 1, "json-ld cut": 1, "meta og:title": 1, "meta og:title cut": 1, "meta twitter:title": 0.5, "meta twitter:title cut": 0.5,
		"title": 1, "title cut": 1, "title whole": -1, "feed": 2, "feed cut": 1.5, "template": 2.5, "template general": 1, "text bold line": 0.5,
		"is spam": -6, "is site": -3, "is with site": -1.5, "is short": -1, "is torn": -2,
	}},
	metadata.Published: {Base: -3, Votes: map[string]float64{
		"json-ld": 4, "json-ld page": 2, "meta article:published_time": 4, "meta": 3.5, "meta like published": 2.5, "meta script": 2.5, "meta date": 1.5,
		"feed": 4, "microdata": 4, "microdata time near": 3, "microdata time": 1, "template": 4, "template general": 2,
		"byline": 4, "byline labelled": 5, "byline above": 2, "byline above labelled": 3, "byline further": 1.5, "byline further labelled": 3,
		"byline untitled": 2, "byline untitled labelled": 3, "text start": 2, "text start labelled": 3, "text end labelled": 1.5, "text signature": 2.5, "text labelled": 2.5,
		"url": 3, "url digits": 2.5, "url month": 1, "title": 2, "is guessed": -0.5, "is shown with time": 0.5, "byline changed": 1, "text labelled changed": 0.5,
		"text end linked": -1, "text end prose": -1, "is after the shown day": -1, "is after the stated day": -1, "is before the shown day": -0.5,
		"is before the stated day": -0.5,
	}},
	metadata.Authors: {Base: -3, Votes: map[string]float64{
		"json-ld": 3, "json-ld page": 1, "meta author": 1.5, "meta article:author": 2, "meta citation_author": 3, "meta script": 1, "feed": 3,
		"microdata": 2, "microdata rel": 1.5, "template": 4, "template general": 3, "template editor": 0.5,
		"byline author": 4, "byline author bare": 2.5, "byline reporter": 4, "byline reporter bare": 3, "byline by": 3, "byline posted": 2.5,
		"byline above author": 2, "byline above by": 2, "byline alone": 2, "byline author-name": 2, "byline author-class": 1.5, "byline class": 1.5,
		"text start author": 3, "text start reporter": 3, "text start reporter bare": 2.5, "text start by": 2, "text alone": 1, "text start author bare": 2,
		"text head reporter": 4, "text head author": 4, "text head reporter bare": 3, "text tail reporter": 4, "text tail author": 4, "text tail reporter bare": 3.5,
		"text end author": 3, "text end reporter": 3, "text end reporter bare": 2.5, "text end posted": 2.5, "text end alone": 2, "text end author bare": 2,
		"byline editor": 1, "text end editor": 1, "text tail editor": 1, "text start editor": 1, "byline credit": 1, "text end credit": 1, "title blog": 1.5,
		"is person": 1, "is capitalised": 0.7, "is said twice": 0.5, "is publisher": -2, "is organisation": -2, "is office": -2, "is with digits": -2,
		"is beside a signed name": -1, "is editor of another": -2, "is lower case": -1, "is long": -2,
	}},
}
