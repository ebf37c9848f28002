package dkmsstate

import (
	"fmt"
	"os"
	"path/filepath"
)

// SystemPath lists the directories of the system's programs. With a PATH without sbin, dkms
// silently does nothing.
const SystemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// LookPath finds a program in SystemPath.
func LookPath(program string) (string, error) {
	for _, dir := range filepath.SplitList(SystemPath) {
		file := filepath.Join(dir, program)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", fmt.Errorf("cannot find the program %s", program)
}
