package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/nofollow"
)

// compressor returns the program that compresses a module, with what makes the
// kernel able to read it (xz with crc32, as dkms 3.2 does), "" for none.
func compressor(suffix string) []string {
	switch suffix {
	case ".gz":
		return []string{"gzip", "-nc"}
	case ".xz":
		return []string{"xz", "--check=crc32", "--lzma2=dict=1MiB", "-c"}
	case ".zst":
		return []string{"zstd", "-q", "-c"}
	}
	return nil
}

// uncompressed returns the files of a build that are not compressed.
func (b Build) uncompressed() []string {
	var names []string
	for _, f := range b.Files {
		if strings.HasSuffix(f.Name, ".ko") {
			names = append(names, f.Name)
		}
	}
	return names
}

// findCompression finds how builds that are not compressed should be.
func (s *Snapshot) findCompression() {
	if !slices.ContainsFunc(s.Builds, func(b Build) bool { return len(b.uncompressed()) > 0 }) {
		return
	}
	suffix := s.Dep.kernelSuffix()
	if program := compressor(suffix); program != nil {
		if _, err := lookPath(program[0]); err == nil {
			s.Compression = suffix
		}
	}
}

// compressSteps is what makes a build compressed that should be.
func (s Snapshot) compressSteps(b Build) []Step {
	plain := b.uncompressed()
	if len(plain) == 0 || s.Compression == "" {
		return nil
	}
	return []Step{{OpCompress, fmt.Sprintf("%s is not compressed as the kernel's own modules are (%s)", plain[0], s.Compression)}}
}

// compress compresses the files of a build as the kernel's own modules are: one
// that was made when the headers were there and the kernel was not is plain, and
// dkms never changes that. What is installed is left to the step that follows.
func (r *taskRun) compress(ctx context.Context) error {
	m, tree, t := r.machine, r.tree, r.task
	dir, err := tree.openBuild(t.Module, t.Arch)
	if err != nil {
		return err
	}
	defer dir.Close()
	kernel, err := tree.openTree(t.Module.Name, t.Module.Version, string(tree.Kernel))
	if err != nil {
		return err
	}
	defer kernel.Close()
	suffix := r.before.Compression
	plain := tree.build(t.Module, t.Arch).uncompressed()
	for _, name := range plain {
		from := filepath.Join(m.Layout.buildDir(t.Module, tree.Kernel, t.Arch), "module", name)
		scratch := scratchPrefix + name + suffix // a run that is cut off leaves nothing beside the modules
		err := errors.Join(kernel.RemoveAll(scratch), kernel.WriteNew(scratch, 0o644, time.Time{}, func(to *os.File) error {
			return m.Engine.Compress(ctx, suffix, from, to)
		}))
		if err == nil {
			err = errors.Join(kernel.MoveFile(scratch, dir, name+suffix), dir.Sync())
		}
		if err != nil {
			return fmt.Errorf("cannot compress %s: %w", name, err)
		}
	}
	r.compressed = true
	return removeFiles(dir, plain)
}

// openBuild opens the directory of a build's modules.
func (t Tree) openBuild(m Module, arch string) (*nofollow.Dir, error) {
	return t.openTree(m.Name, m.Version, string(t.Kernel), arch, "module")
}
