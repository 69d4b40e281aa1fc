package crawler

import "testing"

func TestSiteName(t *testing.T) {
	for title, want := range map[string]string{
		"Chip Daily - all about chips": "Chip Daily", "News | ChipStack": "ChipStack", "首页_芯片新闻网": "芯片新闻网", "芯片新闻网-半导体资讯": "芯片新闻网-半导体资讯",
		"EE-Times: electronics": "EE-Times: electronics", "Home": "Home", "": "", "DIGITIMES｜科技網": "DIGITIMES",
	} {
		if got := siteName(title); got != want {
			t.Errorf("%q: got %q, want %q", title, got, want)
		}
	}
}
