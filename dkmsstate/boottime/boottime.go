// Package boottime tells when the running system was started.
package boottime

import (
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/regular"
)

// At returns when the system whose /proc is below a directory was started, in whole seconds
// (btime in proc_stat(5)). It reports false if that cannot be determined.
func At(root string) (time.Time, bool) {
	data, err := regular.ReadFile(filepath.Join(root, "proc/stat"))
	if err != nil {
		return time.Time{}, false
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return time.Unix(seconds, 0), err == nil
		}
	}
	return time.Time{}, false
}
