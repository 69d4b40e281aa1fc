// Package mojibake undoes double encoding: text whose bytes some system read in
// the wrong encoding and then encoded again, so that 中国 stands there as ä¸­å›½,
// ÖÐ¹ú or 涓浗 although the page itself is decoded rightly. In goes decoded text,
// out comes the text put right and a report.
//
// It works on the text before anything counts offsets in it, piece by piece
// between the marks of HTML and JSON, since often only a title or a quotation
// has passed through the faulty system. Whole or not, a piece is only changed if
// its bytes make sense in the other encoding.
package mojibake
