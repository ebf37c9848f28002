package dkmsstate

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/nofollow"
)

// logDir holds the logs, a directory for each kernel: dkms overwrites its own when
// it builds for the next one.
const logDir = "/var/log/dkms-hooks"

// maxKept bounds a log on the disk.
const maxKept = 64 << 20

// LogPath is the log of a module for a kernel.
func (l Layout) LogPath(m Module, kernel Release) string {
	return filepath.Join(l.Path(logDir), string(kernel), m.Name+"-"+m.Version+".log")
}

// RemoveLogs removes the logs of a kernel that is gone.
func (l Layout) RemoveLogs(kernel Release) error {
	dir, err := l.root().OpenPath(l.Path(logDir))
	if nofollow.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove the logs: %w", err)
	}
	defer dir.Close()
	return dir.RemoveAll(string(kernel))
}

// newLog returns the log of a module for a kernel. It takes the place of the one before
// when something is written to it.
func (l Layout) newLog(m Module, kernel Release) *keptLog {
	return &keptLog{path: l.LogPath(m, kernel), head: fmt.Sprintf("%s for %s, %s\n", m, kernel, time.Now().Format(time.RFC3339)), left: maxKept}
}

// keptLog is a log that is being written.
type keptLog struct {
	path, head string
	file       *os.File
	// err is why there is none.
	err  error
	left int
}

// Write writes as long as there is room, and takes the rest without an error: no
// log is worth a build.
func (k *keptLog) Write(p []byte) (int, error) {
	if k.file == nil && k.err == nil {
		k.err = k.open()
	}
	if k.err != nil || k.left <= 0 {
		return len(p), nil
	}
	part := p[:min(len(p), k.left)]
	if k.left -= len(part); k.left == 0 {
		part = append(part[:len(part):len(part)], "\n… the log ends here, at its limit\n"...)
	}
	_, _ = k.file.Write(part)
	return len(p), nil
}

func (k *keptLog) open() error {
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

// add appends a log of dkms.
func (k *keptLog) add(path string) {
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

// close ends the log and gives its path, "" when there is none.
func (k *keptLog) close() string {
	if k.file == nil {
		return ""
	}
	k.file.Close()
	return k.path
}

// findLog finds the log that dkms wrote for its last build of a module: where it
// lies depends on the version of dkms and on how the build ended.
func (l Layout) findLog(m Module, kernel Release, arch string) string {
	found, _ := filepath.Glob(filepath.Join(l.versionDir(m), string(kernel), ".tmp_*", "log", "make.log"))
	for _, path := range append([]string{
		filepath.Join(l.versionDir(m), "build", "make.log"),
		filepath.Join(l.buildDir(m, kernel, arch), "log", "make.log"),
	}, found...) {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// LogDir is where the logs are kept, as seen from outside the root.
func (l Layout) LogDir() string { return l.Path(logDir) }

// LiveLogs returns the logs that dkms writes while it builds, for one kernel or for all
// (""). dkms 3.0 builds in MODULE/VERSION/build whatever the kernel, so that one of those
// is given for every kernel.
func (l Layout) LiveLogs(kernel Release) []string {
	in := cmp.Or(string(kernel), "*")
	old, _ := filepath.Glob(filepath.Join(l.treePath(), "*", "*", "build", "make.log"))
	found, _ := filepath.Glob(filepath.Join(l.treePath(), "*", "*", in, ".tmp_*", "log", "make.log"))
	return append(found, old...)
}
