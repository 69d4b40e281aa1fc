package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// figure prints one figure of a benchmark, as the report collects them. The
// target says what is asked, as "≥ 50, aim 100"; "" if nothing is.
func figure(name string, value float64, unit, target string) {
	versus(name, value, unit, target)
}

// versus is figure with what others reach in the same run, or have published,
// each written "name=value".
func versus(name string, value float64, unit, target string, rivals ...string) {
	fmt.Printf("figure\t%s\t%s\t%s\t%s\t%s\n", name, number(value), cmp.Or(unit, "-"), cmp.Or(target, "-"), cmp.Or(strings.Join(rivals, ", "), "-"))
}

// number writes three significant digits, or a whole number above 100.
func number(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
