package dkmsstate

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Build is MODULE/VERSION/KVER/ARCH of the DKMS tree.
type Build struct {
	Module Module
	Arch   string
	// Files are the module files of the build; without one it is no build but
	// what an interrupted run left (dkms refuses to build over it).
	Files []File
	// Fresh is whether it still fits the kernel; Examine finds it.
	Fresh Freshness
	// Original says that dkms archived modules of the kernel itself for this
	// module, which uninstalling has to put back.
	Original bool
	// stamp and installed name the present state of its files and of those that are
	// installed in their names.
	stamp, installed string
}

// File is one kernel module of a build and its copy in the kernel's tree.
type File struct {
	// Name is the base name, such as loop.ko.xz.
	Name string
	// Copy is how the installed file stands to the built one.
	Copy Copy
	// InKernel says of a file that is not installed that the kernel has a module of
	// that name itself.
	InKernel bool
	// Twins are installed files of the same module, compressed in another way.
	Twins []string
}

// Copy is how an installed file stands to the built one.
type Copy string

// The installed file is not there, is not the built one, or equals it.
const (
	CopyMissing Copy = "missing"
	CopyDiffers Copy = "differs"
	CopySame    Copy = "same"
)

// Complete says that the build holds at least one module file, none of them empty.
func (b Build) Complete() bool { return len(b.Files) > 0 }

// originals is MODULE/original_module, where dkms archives modules of the kernel.
const originals = "original_module"

// readBuild reads a build and how what is installed stands to it.
func (s *Snapshot) readBuild(m Module, arch string, kept KernelRecord) Build {
	b := Build{Module: m, Arch: arch}
	dir := filepath.Join(s.Layout.buildDir(m, s.Kernel, arch), "module")
	var built, installed stamp
	for _, name := range fileNames(dir) {
		if trimKo(name) == name {
			continue
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() == 0 || !info.Mode().IsRegular() {
			b.Files = nil // one unusable file makes the whole build unusable
			break
		}
		built.add(info)
		installed.addFile(filepath.Join(s.Layout.installDir(s.Kernel), name))
		b.Files = append(b.Files, File{Name: name, Copy: CopySame})
	}
	b.stamp, b.installed = built.sum(), installed.sum()
	known, same := kept.Builds[b.key()]
	same = same && known.Stamp == b.stamp && known.Installed == b.installed
	for i, f := range b.Files {
		if !same {
			f.Copy = compare(filepath.Join(dir, f.Name), filepath.Join(s.Layout.installDir(s.Kernel), f.Name))
		}
		f.Twins = s.twins(b, f.Name)
		b.Files[i] = f
	}
	return b
}

// twins gives the installed files that are the same module as one of a build.
func (s *Snapshot) twins(b Build, name string) []string {
	var twins []string
	for _, twin := range variants(trimKo(name)) {
		if s.installed(twin) && !b.has(twin) {
			twins = append(twins, twin)
		}
	}
	return twins
}

func (b Build) has(name string) bool {
	return slices.ContainsFunc(b.Files, func(f File) bool { return f.Name == name })
}

// allSame says that every file of a build is installed as it was built.
func (b Build) allSame() bool {
	return !slices.ContainsFunc(b.Files, func(f File) bool { return f.Copy != CopySame })
}

// variants gives the names that a module's file can have.
func variants(base string) []string {
	return []string{base + ".ko", base + ".ko.gz", base + ".ko.xz", base + ".ko.zst"}
}

func (l Layout) buildDir(m Module, kernel Release, arch string) string {
	return filepath.Join(l.tree(), m.Name, m.Version, string(kernel), arch)
}

func (l Layout) originalDir(name string, kernel Release, arch string) string {
	return filepath.Join(l.tree(), name, originals, string(kernel), arch)
}

// trimKo takes .ko and its compression off a file name; a name without comes
// back as it is.
func trimKo(name string) string {
	for _, suffix := range []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"} {
		if base, ok := strings.CutSuffix(name, suffix); ok && base != "" {
			return base
		}
	}
	return name
}

// compare compares two files by their bytes. What cannot be read counts as
// different: it is to be written anew.
func compare(built, installed string) Copy {
	b, err := openRegular(built)
	if err != nil {
		return CopyDiffers
	}
	defer b.Close()
	info, err := os.Stat(installed)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(installed); err == nil {
			return CopyDiffers // a dangling link stands in its place
		}
		return CopyMissing
	}
	if err != nil || !info.Mode().IsRegular() {
		return CopyDiffers
	}
	i, err := openRegular(installed)
	if err != nil {
		return CopyDiffers
	}
	defer i.Close()
	binfo, err := b.Stat()
	switch {
	case err != nil:
		return CopyDiffers
	case os.SameFile(binfo, info): // framework.conf's symlink_modules
		return CopySame
	case binfo.Size() != info.Size() || !sameBytes(b, i):
		return CopyDiffers
	}
	return CopySame
}

func sameBytes(a, b io.Reader) bool {
	const chunk = 64 << 10
	one, two := make([]byte, chunk), make([]byte, chunk)
	for {
		n, err := io.ReadFull(a, one)
		m, err2 := io.ReadFull(b, two)
		if n != m || !bytes.Equal(one[:n], two[:m]) {
			return false
		}
		if err != nil || err2 != nil {
			return isEnd(err) && isEnd(err2)
		}
	}
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
