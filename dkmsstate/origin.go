package dkmsstate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate/regular"
)

// Origin is what builds for a kernel start from and what they have to fit, by the
// contents of files; "" stands for a file that is not there.
type Origin struct {
	// Symvers, Conf and Uts are of the headers: Module.symvers, auto.conf (which
	// names the compiler too), and the number and date of the kernel's build.
	Symvers string `json:"symvers,omitempty"`
	Conf    string `json:"conf,omitempty"`
	Uts     string `json:"uts,omitempty"`
	// Map and Config are of the image: System.map and config-KVER in /boot.
	Map    string `json:"map,omitempty"`
	Config string `json:"config,omitempty"`
}

// readOrigin reads the files of a kernel and of its headers.
func (l Layout) readOrigin(kernel Release) Origin {
	build := l.headersDir(kernel)
	symbols := l.imageFile(kernel, "System.map")
	if info, err := os.Stat(symbols); err == nil && info.Size() < leastMap {
		symbols = ""
	}
	return Origin{
		Symvers: sumFiles(filepath.Join(build, "Module.symvers")),
		Conf:    sumFiles(filepath.Join(build, "include/config/auto.conf")),
		Uts:     sumFiles(filepath.Join(build, "include/generated/utsversion.h"), filepath.Join(build, "include/generated/compile.h")),
		Map:     sumFiles(symbols),
		Config:  sumFiles(l.imageFile(kernel, "config")),
	}
}

// leastMap tells a System.map from the note that Debian ships in its place.
const leastMap = 4 << 10

// imageFile returns the place of a file that belongs to the kernel's image: in /boot, or
// since Debian 14 in the directory of its modules.
func (l Layout) imageFile(kernel Release, name string) string {
	if path := filepath.Join(l.kernelDir(kernel), name); exists(path) {
		return path
	}
	return l.Path("/boot/" + name + "-" + string(kernel))
}

// originFiles are the files whose stamps tell that a kernel or its headers were
// unpacked again.
func (l Layout) originFiles(kernel Release) []string {
	build, dir := l.headersDir(kernel), l.kernelDir(kernel)
	return []string{
		filepath.Join(build, "Module.symvers"),
		filepath.Join(build, "include/config/auto.conf"),
		filepath.Join(build, "include/generated/utsversion.h"),
		filepath.Join(build, "include/generated/compile.h"),
		l.imageFile(kernel, "System.map"),
		l.imageFile(kernel, "config"),
		l.imageFile(kernel, "vmlinuz"),
		filepath.Join(dir, "modules.builtin"),
		filepath.Join(dir, "modules.order"),
	}
}

// Unpacked names the present state of the files that the packages of a kernel and of its
// headers bring.
func (s Snapshot) Unpacked() string { return stampFiles(s.Layout.originFiles(s.Kernel)...) }

// sumFiles names the contents of files by a hash, "" when none is there.
func sumFiles(paths ...string) string {
	sum, some := sha256.New(), false
	for _, path := range paths {
		file, err := regular.Open(path)
		if err != nil {
			continue
		}
		n, err := io.Copy(sum, file)
		file.Close()
		some = some || err == nil
		fmt.Fprintln(sum, n)
	}
	if !some {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// id names an origin.
func (o Origin) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", o))
	return hex.EncodeToString(sum[:8])
}
