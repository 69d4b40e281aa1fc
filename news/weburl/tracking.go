package weburl

import "strings"

// trackingNames are query parameters, in lower case, that say where a reader
// came from and never which page is meant.
var trackingNames = map[string]bool{
	// Click and campaign IDs of advertising and mail.
	"fbclid": true, "gclid": true, "gclsrc": true, "dclid": true, "gbraid": true, "wbraid": true,
	"msclkid": true, "yclid": true, "twclid": true, "ttclid": true, "li_fat_id": true, "igshid": true, "igsh": true,
	"mc_cid": true, "mc_eid": true, "_hsenc": true, "_hsmi": true, "mkt_tok": true, "vero_id": true, "oly_enc_id": true,
	"wt_mc": true, "cmpid": true, "ocid": true, "ncid": true, "icid": true, "_ga": true, "_gl": true, "ga_source": true,
	"guccounter": true, "guce_referrer": true, "guce_referrer_sig": true,
	"bd_vid": true, "qhclickid": true, "sogou_id": true, "hmsr": true, "hmpl": true, "hmcu": true, "hmkw": true, "hmci": true,
	// Share buttons and apps.
	"spm": true, "scm": true, "isappinstalled": true, "nsukey": true, "share_token": true, "share_from": true,
	"share_source": true, "share_medium": true, "share_plat": true, "sharer_shareid": true, "sharer_shareinfo": true,
	"sharefrom": true, "sharesource": true, "shareuid": true, "wxshare_count": true, "wx_share": true,
	"tdsourcetag": true, "pvid": true, "chksm": true, "wfr": true,
}

// shareValues are values of the parameter "from" that name a share channel;
// with another value it may belong to the page.
var shareValues = map[string]bool{
	"timeline": true, "singlemessage": true, "groupmessage": true, "message": true, "weixin": true, "wechat": true,
	"weibo": true, "qq": true, "qzone": true, "share": true, "rss": true, "feed": true, "appshare": true, "wap": true,
}

// isTracking reports whether a query parameter, its name in lower case, only
// tracks.
func isTracking(name, value string) bool {
	if strings.HasPrefix(name, "utm_") || strings.HasPrefix(name, "hsa_") || strings.HasPrefix(name, "mtm_") ||
		strings.HasPrefix(name, "pk_") || trackingNames[name] {
		return true
	}
	return name == "from" && shareValues[strings.ToLower(value)]
}
