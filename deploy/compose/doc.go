// Package compose holds a compose file that runs Xinwen on one machine as it
// runs on several.
package compose
