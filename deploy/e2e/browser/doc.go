// Package browser tests the pages as people use them: in Chromium, over the demo
// web, in both themes and three languages, with the pointer, with the keyboard
// alone, and without script.
//
// It needs Chromium on the PATH, and for the rules of accessibility axe.min.js of
// the package axe-core in the folder bin of the project; what lacks is skipped
// and says so. Pictures of every page are written to the folder named by
// XINWEN_SCREENSHOTS, if there is one.
package browser
