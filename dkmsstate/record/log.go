package record

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// logDir holds the logs, a directory for each kernel: dkms overwrites its own when
// it builds for the next one.
const logDir = "/var/log/dkms-hooks"

// maxKept bounds a log on the disk.
const maxKept = 64 << 20

// LogPath is the log of a module for a kernel.
func LogPath(l dkmsstate.Layout, m dkmsstate.Module, kernel dkmsstate.Release) string {
	return filepath.Join(l.Path(logDir), string(kernel), m.Name+"-"+m.Version+".log")
}

// RemoveLogs removes the logs of a kernel that is gone.
func RemoveLogs(l dkmsstate.Layout, kernel dkmsstate.Release) error {
	dir, err := l.NoFollow().OpenPath(l.Path(logDir))
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove the logs: %w", err)
	}
	defer dir.Close()
	return dir.RemoveAll(string(kernel))
}

// NewLog returns the log of a module for a kernel. It takes the place of the one before
// when something is written to it.
func NewLog(l dkmsstate.Layout, m dkmsstate.Module, kernel dkmsstate.Release) *KeptLog {
	return &KeptLog{path: LogPath(l, m, kernel), head: fmt.Sprintf("%s for %s, %s\n", m, kernel, time.Now().Format(time.RFC3339)), left: maxKept}
}

// ModuleOfLog returns the module that a log is of, as its first line names it, "" for a file
// that begins otherwise.
func ModuleOfLog(path string) string {
	file, err := regular.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	line, _ := bufio.NewReader(io.LimitReader(file, 1024)).ReadString('\n')
	module, _, ok := strings.Cut(line, " for ")
	if name, version, both := strings.Cut(module, "/"); !ok || !both || filepath.Base(path) != name+"-"+version+".log" {
		return ""
	}
	return module
}

// KeptLog is a log that is being written.
type KeptLog struct {
	path, head string
	file       *os.File
	// Err is why there is none.
	Err  error
	left int
}

// Write writes as long as there is room, and takes the rest without an error: no
// log is worth a build.
func (k *KeptLog) Write(p []byte) (int, error) {
	if k.file == nil && k.Err == nil {
		k.Err = k.open()
	}
	if k.Err != nil || k.left <= 0 {
		return len(p), nil
	}
	part := p[:min(len(p), k.left)]
	if k.left -= len(part); k.left == 0 {
		part = append(part[:len(part):len(part)], "\n… the log ends here, at its limit\n"...)
	}
	_, _ = k.file.Write(part)
	return len(p), nil
}

func (k *KeptLog) open() error {
	if err := os.MkdirAll(filepath.Dir(k.path), 0o755); err != nil {
		return fmt.Errorf("cannot keep a log: %w", err)
	}
	file, err := os.OpenFile(k.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return fmt.Errorf("cannot keep a log: %w", err)
	}
	k.file = file
	_, _ = file.WriteString(k.head)
	return nil
}

// Add appends a log of dkms.
func (k *KeptLog) Add(path string) {
	if path == "" {
		return
	}
	from, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer from.Close()
	_, _ = io.Copy(k, io.LimitReader(from, int64(k.left)+1))
}

// Close ends the log and gives its path, "" when there is none.
func (k *KeptLog) Close() string {
	if k.file == nil {
		return ""
	}
	k.file.Close()
	return k.path
}

// FindLog finds the log that dkms wrote for its last build of a module: where it
// lies depends on the version of dkms and on how the build ended.
func FindLog(l dkmsstate.Layout, m dkmsstate.Module, kernel dkmsstate.Release, arch string) string {
	found, _ := filepath.Glob(filepath.Join(l.VersionDir(m), string(kernel), ".tmp_*", "log", "make.log"))
	for _, path := range append([]string{
		filepath.Join(l.VersionDir(m), "build", "make.log"),
		filepath.Join(l.BuildDir(m, kernel, arch), "log", "make.log"),
	}, found...) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// LogDir is where the logs are kept, as seen from outside the root.
func LogDir(l dkmsstate.Layout) string { return l.Path(logDir) }

// LiveLogs returns the logs that dkms writes while it builds, for one kernel or for all
// (""). dkms 3.0 builds in MODULE/VERSION/build whatever the kernel, so that one of those
// is given for every kernel.
func LiveLogs(l dkmsstate.Layout, kernel dkmsstate.Release) []string {
	in := cmp.Or(string(kernel), "*")
	old, _ := filepath.Glob(filepath.Join(l.TreePath(), "*", "*", "build", "make.log"))
	found, _ := filepath.Glob(filepath.Join(l.TreePath(), "*", "*", in, ".tmp_*", "log", "make.log"))
	return append(found, old...)
}
