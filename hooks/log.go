package hooks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// LogFile is the kept log of a module's last build for a kernel, or of the program that made its
// initramfs.
type LogFile struct {
	Kernel dkmsstate.Release
	// Name is MODULE-VERSION or record.InitramfsLog. Module is MODULE/VERSION, "" if the log does not
	// name it.
	Name, Module string
	// Path is the path of the log. It includes the root.
	Path string
	When time.Time
	// Result is how the attempt ended, "" if there is no record of it.
	Result dkmsstate.LastResult
}

// Logs returns the logs of the invocation's kernel, or of all kernels if it names none, newest
// first. If module is not "", only its logs are returned; it is NAME or NAME/VERSION.
func Logs(inv Invocation, module string) ([]LogFile, error) {
	sys := withRecord(inv)
	paths, err := filepath.Glob(filepath.Join(record.LogDir(sys.layout), "*", "*.log"))
	if err != nil {
		return nil, fmt.Errorf("cannot look for logs: %w", err)
	}
	var logs []LogFile
	for _, path := range paths {
		kernel, err := dkmsstate.ParseRelease(filepath.Base(filepath.Dir(path)))
		info, statErr := os.Lstat(path)
		if err != nil || statErr != nil || !info.Mode().IsRegular() || inv.Kernel != "" && kernel != inv.Kernel {
			continue
		}
		l := LogFile{Kernel: kernel, Name: strings.TrimSuffix(filepath.Base(path), ".log"), Module: record.ModuleOfLog(path), Path: path, When: info.ModTime()}
		if !l.of(module) {
			continue
		}
		for name, last := range sys.record.Kernel(kernel).Last {
			if strings.ReplaceAll(name, "/", "-") == l.Name {
				l.Result = last.Result
			}
		}
		logs = append(logs, l)
	}
	slices.SortStableFunc(logs, func(a, b LogFile) int { return b.When.Compare(a.When) })
	return logs, nil
}

// of reports whether the log is of a module, such as v4l2loopback or v4l2loopback/0.13.2, or of the
// initramfs.
func (l LogFile) of(module string) bool {
	if name, version, exact := strings.Cut(module, "/"); exact {
		return l.Name == name+"-"+version
	}
	if l.Module != "" && module != "" {
		return strings.HasPrefix(l.Module, module+"/")
	}
	return module == "" || l.Name == module || strings.HasPrefix(l.Name, module+"-")
}
