package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
)

// compress compresses the files of a build like the kernel's own modules. A build that was made
// when the headers were installed and the kernel was not is uncompressed, and dkms never
// changes that. The installed files are left to the step that follows.
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
	plain := tree.build(t.Module, t.Arch).Uncompressed()
	for _, name := range plain {
		from := filepath.Join(m.Layout.BuildDir(t.Module, tree.Kernel, t.Arch), "module", name)
		scratch := dkmsstate.ScratchPrefix + name + suffix // an interrupted run leaves nothing beside the modules
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
func (t Tree) openBuild(m dkmsstate.Module, arch string) (*nofollow.Dir, error) {
	return t.openTree(m.Name, m.Version, string(t.Kernel), arch, "module")
}
