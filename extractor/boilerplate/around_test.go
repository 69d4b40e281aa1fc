package boilerplate

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
)

func TestPicturesBelongToTheArticle(t *testing.T) {
	d := dom.Parse(`<img src="/logo.png"><h1>上调报价</h1><div><figure><img src="/gate.jpg"><figcaption>厂门，资料照片</figcaption></figure>` + p(first) +
		`<p><img src="/room.jpg"></p><p>图2：洁净室</p>` + p(second) + `<img src="/dot.gif" width="1" height="1"><img src="/static/qrcode.png"><div class="share"><img src="/wx.jpg"></div></div>` +
		`<div class="related"><img src="/thumb1.jpg"><a href="/1">封测厂淡季不淡</a></div>`)
	var got []string
	for _, m := range Find(d, Hints{}).Images {
		caption := ""
		if m.Caption >= 0 {
			caption = d.Blocks[m.Caption].Text
		}
		got = append(got, dom.Source(d.Images[m.Image].Node)+" "+caption)
	}
	if diff := cmp.Diff([]string{"/gate.jpg 厂门，资料照片", "/room.jpg 图2：洁净室"}, got); diff != "" {
		t.Errorf("pictures differ (-want +got):\n%s", diff)
	}
}

func TestWhatIsLeftOutHasAReason(t *testing.T) {
	d := dom.Parse(`<p>久久视频在线观看 彩票</p><h1>上调报价</h1><div>` + p(first, second) + `<p>免责声明：本文仅代表作者个人观点，请读者自行核实。</p></div>` +
		`<div class="share">分享到微信</div><h3>相关阅读</h3><ul><li><a href="/1">封测厂淡季不淡</a></li></ul><div id="comments"><p>说得很对，我们厂也收到了通知。</p></div><p>网站地图</p>`)
	got := make(map[string]Why)
	for _, l := range Find(d, Hints{}).Stripped {
		got[d.Blocks[l.Block].Text] = l.Why
	}
	want := map[string]Why{
		"久久视频在线观看 彩票": WhySpam, "免责声明：本文仅代表作者个人观点，请读者自行核实。": WhyDisclaimer, "分享到微信": WhyShare,
		"相关阅读": WhyRelated, "封测厂淡季不淡": WhyRelated, "说得很对，我们厂也收到了通知。": WhyComments, "网站地图": WhyRelated,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons differ (-want +got):\n%s", diff)
	}
	long := ""
	for i := range 100 {
		long += fmt.Sprintf("<p>第%d条</p>", i)
	}
	if n := len(Find(dom.Parse("<h1>上调报价</h1>"+p(first, second)+"<h3>相关阅读</h3>"+long), Hints{}).Stripped); n > 4*leftEach {
		t.Errorf("%d blocks are told, want few", n)
	}
}

func TestSpamIsNoNews(t *testing.T) {
	for s, want := range map[string]bool{
		"久久国产精品在线视频":               true,
		"百家乐在线娱乐城_彩票开户":            true,
		"best casino slots online": true,
		"国产高清视频芯片出货量增长":            false,
		"亚洲在线视频会议用户破亿":             false,
		"久久未能解决的良率问题":              false,
		"法院通报一起代开发票案。涉案一千万元，彩票公司也被牵连。": false,
	} {
		if got := spam(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}
