// Package chaos kills Xinwen while it works and judges what is left. Its tests
// run every service in a process of its own, kill them with SIGKILL at random
// moments and at the boundaries of their stages, kill the NATS server too, and
// compare what the simulated web has published with the index, the alerts and
// what was delivered: nothing may be lost, nothing doubled.
//
// The tests are bounded. XINWEN_CHAOS_KILLS=1000 makes the long run.
package chaos
