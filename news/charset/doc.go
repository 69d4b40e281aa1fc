// Package charset finds out which encoding bytes really are in. Feeds, list
// pages and articles share it.
//
// Labels lie: pages saved as UTF-8 declare gb2312, GBK pages declare nothing,
// servers send a header that contradicts the page. So the bytes decide and a
// label is only a hint:
//
//  1. a byte order mark, or the zero bytes of UTF-16 and UTF-32 markup;
//  2. valid UTF-8, or nearly so (a page cut inside a character, a few bad
//     bytes: under 5 % of the characters beyond ASCII);
//  3. GB18030 and Big5, each scored by the share of common Chinese characters
//     and punctuation among the decoded ones, with the labels as a prior;
//  4. another encoding that a label names and the bytes do not contradict;
//  5. windows-1252.
//
// The labels gb2312 and gbk always mean GB18030, which contains both.
package charset
