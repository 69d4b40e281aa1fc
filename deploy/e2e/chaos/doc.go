// Package chaos kills Xinwen while it works and judges what is left. Its tests
// run every service in a process of its own, kill them with SIGKILL at random
// moments and at the boundaries of their stages, kill and cut off NATS servers,
// take disks and their power away, and compare what the simulated web has
// published with the index, the alerts and what was delivered: nothing may be
// lost, nothing doubled, nothing older than it was, no request too soon.
//
// The tests are bounded. XINWEN_CHAOS_KILLS=1000 makes the long run, of which a
// kill takes 1 to 2 s.
//
// What is not here: jumps of the machine's clock, which cannot be made for one
// process alone. A stalled process sees one, forwards, when it goes on; clocks
// that are set back are in the tests of crawler and crawler/frontier.
package chaos
