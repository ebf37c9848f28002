package debpkg

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// Fingerprint identifies the set of configured packages, with their versions and when they were
// unpacked. Packages of kernels are left out: the kernel at hand consists of several, which are
// configured one after the other. Their names are those of Debian, Ubuntu and Armbian, of Proxmox, and
// of old Raspberry Pi OS. A different result means that a tool or a library may have been installed.
func (db *Database) Fingerprint() string {
	kernels := regexp.MustCompile(`^(linux-(image|headers|modules|base|binary)-|(proxmox|pve)-(kernel|headers)-[0-9]|raspberrypi-kernel)`)
	var installed []string
	for name, records := range db.records {
		for _, r := range records {
			if r.bad == nil && r.want.Configured() && !kernels.MatchString(name) {
				installed = append(installed, fmt.Sprintf("%s:%s %s %d", name, r.arch, r.version, db.Unpacked(name, string(r.arch))))
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

// UnpackedSince reports whether a package with files of a kernel was unpacked after a time.
func (db *Database) UnpackedSince(kver string, when time.Time) (bool, error) {
	packages, err := db.WithFilesOf(kver, Status.Any)
	if err != nil {
		return false, err
	}
	for _, p := range packages {
		if db.Unpacked(p.Name, p.Arch) > when.UnixNano() {
			return true, nil
		}
	}
	return false, nil
}

// Unpacked returns when dpkg wrote the list of a package's files, in nanoseconds since 1970, or
// 0 if there is none. dpkg writes it when it unpacks the package.
func (db *Database) Unpacked(name, arch string) int64 {
	for _, list := range []string{name + ".list", name + ":" + arch + ".list"} {
		if info, err := os.Stat(filepath.Join(db.dir, "info", list)); err == nil {
			return info.ModTime().UnixNano()
		}
	}
	return 0
}
