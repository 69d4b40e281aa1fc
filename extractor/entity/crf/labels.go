package crf

// A label is outside (0) or a kind with a place in its name. The labels of kind
// k, counted from 0, are 1+4k and the next three.
const (
	begin  = iota // the first of several
	inside        // neither first nor last
	end           // the last of several
	single        // a name of one
)

// Span is a name of kind Kind from Start to End, half open.
type Span struct {
	Start, End, Kind int
	// P is the probability that exactly this is a name.
	P float64
}

// Labels returns the labels of a sequence of n places in which spans are named.
// Spans must not overlap.
func Labels(n int, spans []Span) []uint8 {
	out := make([]uint8, n)
	for _, s := range spans {
		for i := s.Start; i < s.End; i++ {
			place := inside
			switch {
			case s.End-s.Start == 1:
				place = single
			case i == s.Start:
				place = begin
			case i == s.End-1:
				place = end
			}
			out[i] = label(s.Kind, place)
		}
	}
	return out
}

func label(kind, place int) uint8 { return uint8(1 + 4*kind + place) }

// open reports whether label y asks for another of its name behind it.
func open(y int) bool { return y > 0 && ((y-1)%4 == begin || (y-1)%4 == inside) }

// goesOn reports whether label y continues the name of the label before it.
func goesOn(y int) bool { return y > 0 && ((y-1)%4 == inside || (y-1)%4 == end) }

// follows reports whether label y may stand behind x.
func follows(x, y int) bool {
	if open(x) != goesOn(y) {
		return false
	}
	return !open(x) || (x-1)/4 == (y-1)/4
}

// moves lists, for each label, those that may stand before it.
func moves(labels int) [][]int {
	out := make([][]int, labels)
	for y := range out {
		for x := range labels {
			if follows(x, y) {
				out[y] = append(out[y], x)
			}
		}
	}
	return out
}
