package debpkg

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// FindArchive returns the path of the incoming package's archive among those with which this
// process's dpkg was called, or "" if it is none of them. A directory on dpkg's command line
// stands for the archives in it (dpkg(1), --recursive).
func (in Incoming) FindArchive(ctx context.Context) string {
	pid, _, ok := findDpkg()
	if !ok {
		return ""
	}
	proc := "/proc/" + strconv.Itoa(pid)
	args, err := os.ReadFile(proc + "/cmdline")
	if err != nil {
		return ""
	}
	cwd, err := os.Readlink(proc + "/cwd")
	if err != nil {
		return ""
	}
	return in.among(ctx, archives(cwd, strings.Split(string(args), "\x00")))
}

// archives returns the archives that dpkg's arguments name, those in directories last.
func archives(cwd string, args []string) []string {
	var files, more []string
	for _, arg := range args {
		if strings.HasPrefix(arg, "-") || arg == "" {
			continue
		}
		if !filepath.IsAbs(arg) {
			arg = filepath.Join(cwd, arg)
		}
		info, err := os.Stat(arg)
		switch {
		case err != nil:
		case info.IsDir():
			in, _ := filepath.Glob(filepath.Join(arg, "*.deb"))
			more = append(more, in...)
		case strings.HasSuffix(arg, ".deb"):
			files = append(files, arg)
		}
	}
	return append(files, more...)
}

// among returns the file that contains this package.
func (in Incoming) among(ctx context.Context, files []string) string {
	for _, file := range files {
		out, err := dpkgDeb(ctx, "-f", file, "Package", "Version").Output()
		if err == nil && string(out) == fmt.Sprintf("Package: %s\nVersion: %s\n", in.Package, in.Version) {
			return file
		}
	}
	return ""
}

// ArchiveContains reports whether an archive contains a kernel, by the list of its files.
func ArchiveContains(ctx context.Context, archive, kver string) (Contains, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := dpkgDeb(ctx, "--fsys-tarfile", archive)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return ContainsUnknown, fmt.Errorf("cannot list the files in %s: %w", archive, err)
	}
	contains, err := tarContains(out, kver)
	if contains == ContainsYes {
		cancel() // the rest need not be unpacked
		_ = cmd.Wait()
		return ContainsYes, nil
	}
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return ContainsUnknown, fmt.Errorf("cannot list the files in %s: %w", archive, err)
	}
	return ContainsNo, nil
}

func tarContains(r io.Reader, kver string) (Contains, error) {
	files := tar.NewReader(r)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return ContainsNo, nil
		}
		if err != nil {
			return ContainsUnknown, err
		}
		if isKernelFile(strings.TrimPrefix(header.Name, "./"), kver) {
			return ContainsYes, nil
		}
	}
}

func dpkgDeb(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/usr/bin/dpkg-deb", args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	return cmd
}
