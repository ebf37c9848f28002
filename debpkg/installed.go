package debpkg

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
)

// Fingerprint names the set of packages that are installed and configured, with their
// versions, those of kernels apart: the kernel at hand comes in several, each of which is
// configured in its turn. Another name says that a tool or a library may have come.
func (db *Database) Fingerprint() string {
	kernels := regexp.MustCompile(`^linux-(image|headers|modules|base|binary)-`)
	var installed []string
	for name, records := range db.records {
		for _, r := range records {
			if r.bad == nil && r.want.State == Installed && !kernels.MatchString(name) {
				installed = append(installed, name+":"+string(r.arch)+" "+string(r.version))
			}
		}
	}
	slices.Sort(installed)
	sum := sha256.New()
	for _, line := range installed {
		sum.Write([]byte(line + "\n"))
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
