package crawler

import "time"

// SetLeaseTTL lets crawlers succeed a silent one sooner.
func (o *Options) SetLeaseTTL(d time.Duration) { o.leaseTTL = d }
