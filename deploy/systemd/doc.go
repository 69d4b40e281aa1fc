// Package systemd holds units for Xinwen in one process and for single
// services. Its test needs systemd-analyze.
package systemd
