// Package chaos kills Xinwen while it works and judges what is left. Its tests
// run every service in a process of its own, kill them with SIGKILL at random
// moments and at the boundaries of their stages, kill and cut off NATS servers,
// take disks and their power away, make them slow, let them fail, set clocks, and
// compare what the simulated web has published with the index, the alerts and what
// was delivered: nothing may be lost, nothing doubled, nothing older than it was,
// no request too soon.
//
// The tests are bounded. XINWEN_CHAOS_KILLS=1000 makes the long run, of which a
// kill takes 1 to 2 s.
//
// Disks are slow or fail through a FUSE file system (baddisk) under all that the
// processes write. Clocks jump by another clock_gettime in a process's own memory
// (wallclock). Where a machine does not permit that, or mounts, or network
// namespaces, a test says so and is skipped.
package chaos
