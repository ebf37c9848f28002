package fresh

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// readOrigin returns the origin by the present files of a kernel and of its headers.
func readOrigin(l dkmsstate.Layout, kernel dkmsstate.Release) dkmsstate.Origin {
	build := l.HeadersDir(kernel)
	symbols := l.ImageFile(kernel, "System.map")
	if info, err := os.Stat(symbols); err == nil && info.Size() < leastMap {
		symbols = ""
	}
	return dkmsstate.Origin{
		Symvers: sumFiles(filepath.Join(build, "Module.symvers")),
		Conf:    sumFiles(filepath.Join(build, "include/config/auto.conf")),
		Uts:     sumFiles(filepath.Join(build, "include/generated/utsversion.h"), filepath.Join(build, "include/generated/compile.h")),
		Map:     sumFiles(symbols),
		Config:  sumFiles(l.ImageFile(kernel, "config")),
	}
}

// leastMap is the minimal size of a System.map. The note that Debian ships in its place is
// smaller.
const leastMap = 4 << 10

// sumFiles returns a hash of the contents of files, or "" if none can be read.
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
