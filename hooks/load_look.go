package hooks

import (
	"context"
	"reflect"
	"slices"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/sentinel"
)

// readLook returns what is known about the initramfs of the kernel. It reads the initramfs itself
// only if the assessor is to do so: that takes longer than everything else.
func (k kernelAssessor) readLook() initramfs.Look {
	kept, _ := record.ReadLook(k.s.Layout, k.s.Kernel)
	started := k.initramfs()
	if !k.readsInitramfs || !started.readable() || !k.s.There {
		return kept
	}
	look, err := lookInto(k.ctx, k.s, started, kept)
	if k.ctx.Err() != nil {
		return kept
	}
	if err != nil { // another attempt may succeed, so this is not recorded
		return initramfs.Look{Stamp: started.stamp, Names: moduleNames(k.s), Unknown: err.Error()}
	}
	if k.s.Layout.Root == "/" && !reflect.DeepEqual(look, kept) { // who looks at an image does not change it
		_ = record.WriteLook(k.s.Layout, k.s.Kernel, look) // without it, the next one reads it again
	}
	return look
}

// lookLimit is how long the initramfs of a kernel may be read. A large one takes seconds.
const lookLimit = time.Minute

// errSlow means that reading took longer than lookLimit.
const errSlow = sentinel.Error("reading it took longer than a minute")

// lookInto searches the initramfs with which a kernel is started for the modules of dkms. What an
// earlier look has found is not searched for again. In case of an error it was not read.
func lookInto(ctx context.Context, s dkmsstate.Snapshot, started bootInitramfs, earlier initramfs.Look) (initramfs.Look, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lookLimit, errSlow)
	defer cancel()
	look, names := earlier, moduleNames(s)
	if slices.ContainsFunc(names, func(name string) bool { return !earlier.Answers(name, started.stamp) }) {
		var err error
		if look, err = initramfs.LookFor(ctx, string(s.Kernel), started.stamp, names, started.files...); err != nil {
			return initramfs.Look{}, err
		}
	}
	look.Installed = nil
	for _, b := range s.Builds {
		for _, f := range b.Files {
			if len(look.Named(modprobe.ModuleName(f.Name))) > 0 {
				file := s.Layout.InstalledFile(s.Kernel, f)
				if err := look.Add(ctx, s.Layout.Reader, f.Path(), file, dkmsstate.StampFiles(file), earlier); err != nil {
					return initramfs.Look{}, err
				}
			}
		}
	}
	return look, nil
}

// moduleNames returns the names of the modules in the builds on a kernel, as lsmod(8) prints them.
func moduleNames(s dkmsstate.Snapshot) []string {
	var names []string
	for _, b := range s.Builds {
		for _, name := range b.Names() {
			names = append(names, modprobe.ModuleName(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ReadInitramfs reads the initramfs of the invocation's kernel, and records what it contains. A
// kernel without modules of dkms needs no record.
func ReadInitramfs(ctx context.Context, inv Invocation) error {
	a := newAssessor(ctx, inv, withRecord(inv))
	survey, err := a.sys.layout.Survey()
	if err != nil {
		return err
	}
	s := survey.Snapshot(inv.Kernel, machineArch(), a.sys.record.Kernel(inv.Kernel))
	started := a.boot.initramfs(a.sys.layout, inv.Kernel)
	if !started.readable() || len(s.Builds) == 0 {
		return nil
	}
	kept, _ := record.ReadLook(a.sys.layout, inv.Kernel)
	look, err := lookInto(ctx, s, started, kept)
	if err != nil {
		return err
	}
	return record.WriteLook(a.sys.layout, inv.Kernel, look)
}
