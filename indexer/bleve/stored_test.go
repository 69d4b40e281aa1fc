package bleve

import (
	"encoding/base64"
	"testing"
)

// TestSkeletonIsWhatIndexesWereMadeWith reads an article as it stands in indexes:
// if this fails, skeletonID and layout must be raised.
func TestSkeletonIsWhatIndexesWereMadeWith(t *testing.T) {
	stored, err := base64.StdEncoding.DecodeString("KLUv/QUAAd0BAHQCYWV4YW1wbGUuY29tL2FzOiJIQk0zRSDmtqjku7c6IuaZtuWchiJ9BQB4I0oxxRVX5n6yssljHdkKpBZCoQ==")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"id":"a","revision":1763366400000,"url":"https://www.example.com/a","source":"s","title":"HBM3E 涨价","text":"晶圆"}`
	got, err := unpack(stored)
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if n := len(encodeArticle([]byte(want))); n > len(want)*2/3 {
		t.Errorf("%d bytes take %d", len(want), n)
	}
}
