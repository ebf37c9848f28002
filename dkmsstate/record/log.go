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

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/regular"
)

// logDir contains a directory of logs for each kernel: dkms overwrites its own log when it
// builds for the next kernel.
const logDir = "/var/log/dkms-hooks"

// maxKept bounds the size of a log on the disk.
const maxKept = 64 << 20

// logPath returns the path of the log of a module for a kernel.
func logPath(l dkmsstate.Layout, m dkmsstate.Module, kernel dkmsstate.Release) string {
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

// NewLog returns the log of a module for a kernel. The first write to it replaces the previous
// log. What is written to it is written to also as well.
func NewLog(l dkmsstate.Layout, m dkmsstate.Module, kernel dkmsstate.Release, also io.Writer) *KeptLog {
	return newLog(logPath(l, m, kernel), m.String(), kernel, also)
}

func newLog(path, subject string, kernel dkmsstate.Release, also io.Writer) *KeptLog {
	return &KeptLog{also: also, path: path, head: fmt.Sprintf("%s for %s, %s\n", subject, kernel, time.Now().Format(time.RFC3339)), left: maxKept}
}

// InitramfsLog is the name of the log of the last program that made a kernel's initramfs.
const InitramfsLog = "initramfs"

// InitramfsLogPath returns the path of that log.
func InitramfsLogPath(l dkmsstate.Layout, kernel dkmsstate.Release) string {
	return filepath.Join(l.Path(logDir), string(kernel), InitramfsLog+".log")
}

// NewInitramfsLog returns the log of the program that makes the initramfs of a kernel.
func NewInitramfsLog(l dkmsstate.Layout, kernel dkmsstate.Release) *KeptLog {
	return newLog(InitramfsLogPath(l, kernel), InitramfsLog, kernel, io.Discard)
}

// ModuleOfLog returns the module in the first line of a log, or "" if there is none or the file
// is not named after it.
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
	// Err is why the log could not be created.
	Err  error
	left int
	// also gets the whole output.
	also io.Writer
}

// Write writes as long as there is room, and discards the rest. It never returns an error: a
// log is not worth the failure of a build.
func (k *KeptLog) Write(p []byte) (int, error) {
	_, _ = k.also.Write(p)
	if k.file == nil && k.Err == nil {
		k.Err = k.open()
	}
	if k.Err != nil || k.left <= 0 {
		return len(p), nil
	}
	part := p[:min(len(p), k.left)]
	if k.left -= len(part); k.left == 0 {
		part = append(part[:len(part):len(part)], "\n… the log is truncated here at its size limit\n"...)
	}
	_, _ = k.file.Write(part)
	return len(p), nil
}

func (k *KeptLog) open() error {
	if err := os.MkdirAll(filepath.Dir(k.path), 0o755); err != nil {
		return fmt.Errorf("cannot write a log: %w", err)
	}
	file, err := regular.Create(k.path)
	if err != nil {
		return fmt.Errorf("cannot write a log: %w", err)
	}
	k.file = file
	_, _ = file.WriteString(k.head)
	return nil
}

// Add appends a log file of dkms.
func (k *KeptLog) Add(path string) {
	if path == "" {
		return
	}
	from, err := regular.OpenNoFollow(path)
	if err != nil {
		return
	}
	defer from.Close()
	_, _ = io.Copy(k, io.LimitReader(from, int64(k.left)+1))
}

// Close closes the log and returns its path, or "" if there is none.
func (k *KeptLog) Close() string {
	if k.file == nil {
		return ""
	}
	k.file.Close()
	return k.path
}

// FindLog returns the path of the log of dkms's last build of a module, or "" if there is none.
// The place depends on the version of dkms and on how the build ended.
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

// LogDir returns the directory of the logs, as seen from outside the root.
func LogDir(l dkmsstate.Layout) string { return l.Path(logDir) }

// LiveLogs returns the logs that dkms writes while it builds, for one kernel or, for "", for
// all of them. dkms 3.0 builds in MODULE/VERSION/build for any kernel, so the logs there are
// returned for every kernel.
func LiveLogs(l dkmsstate.Layout, kernel dkmsstate.Release) []string {
	in := cmp.Or(string(kernel), "*")
	old, _ := filepath.Glob(filepath.Join(l.TreePath(), "*", "*", "build", "make.log"))
	found, _ := filepath.Glob(filepath.Join(l.TreePath(), "*", "*", in, ".tmp_*", "log", "make.log"))
	return append(found, old...)
}
