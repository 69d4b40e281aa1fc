package bleve

import "testing"

func TestLengthCodeKeepsLengths(t *testing.T) {
	last := 0
	for n := 1; n < 127_000; n++ {
		c := lengthCode(n)
		if c < last || c > 127 {
			t.Fatalf("the code of %d is %d after %d", n, c, last)
		}
		last = c
		if got := lengthOf(c); got < float64(n)*0.93 || got > float64(n)*1.07 || n < 32 && got != float64(n) {
			t.Fatalf("length %d has code %d, which stands for %g", n, c, got)
		}
	}
	if c := lengthCode(0); c == 0 {
		t.Error("the code of 0 is 0, which scorch takes for no length")
	}
	if c := lengthCode(50_000_000); c != 127 {
		t.Errorf("the code of the longest is %d, want 127", c)
	}
}
