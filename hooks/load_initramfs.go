package hooks

import (
	"fmt"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/initramfs"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/modprobe"
)

// initramfsLink answers whether an initramfs contains another copy of a module: whatever loads the
// module before the root filesystem is mounted takes that copy.
func (k kernelAssessor) initramfsLink(m dkmsstate.Module) LoadLink {
	l := LoadLink{Link: LinkInitramfs, Verdict: CannotTell}
	started := k.initramfs()
	switch {
	case !started.known:
		l.Reason = "which initramfs the boot loader loads is not known"
		return l
	case len(started.files) == 0:
		l.Verdict, l.Reason = WillLoad, "no initramfs is loaded"
		return l
	}
	b, _ := k.s.Build(m, k.s.Arch)
	for _, f := range b.Files {
		name := modprobe.ModuleName(f.Name)
		if !k.look().Answers(name, started.stamp) {
			l.Reason = "the initramfs was not read since it was made; to read it: " + k.inv.Command("dkms-hooks check --boot")
			return l
		}
		if k.look().Unknown != "" {
			l.Reason = k.look().Unknown
			return l
		}
		if other := k.heldLink(name, f); other.Verdict != "" {
			return other
		}
	}
	l.Verdict, l.Reason = WillLoad, "the initramfs contains no other copy"
	return l
}

// heldLink answers for a file of which the initramfs contains a copy that is not the installed one.
func (k kernelAssessor) heldLink(name string, f dkmsstate.File) LoadLink {
	all, l := k.look().Named(name), LoadLink{Link: LinkInitramfs, Verdict: CannotTell}
	i := slices.IndexFunc(all, func(held initramfs.Module) bool { return held.Path == f.Path() })
	switch {
	case len(all) == 0:
		return LoadLink{}
	case len(all) > 1 && (i < 0 || !k.prefers(all[i], all)):
		l.Reason = fmt.Sprintf("the initramfs contains several modules %s", name)
		return l
	}
	held, installed := all[max(i, 0)], k.identity(f)
	switch held.Compare(installed) {
	case initramfs.HeldSame:
		return LoadLink{}
	case initramfs.HeldOther:
		l.Reason = heldText(name, f, held)
		if len(dkms.LoadedModules(k.s.Layout, []string{name})) > 0 {
			l.Verdict = WillNotLoad
		}
	case initramfs.HeldCode:
		if !held.Identity.Signed && !installed.Signed {
			return LoadLink{}
		}
		l.Reason = fmt.Sprintf("the copy of %s in the initramfs has another signature", name)
	default:
		l.Reason = fmt.Sprintf("the copy of %s in the initramfs cannot be compared", name)
	}
	return l
}

// prefers reports whether depmod certainly takes one of several modules of the same name in an
// initramfs: all others are the kernel's own, and depmod.d(5) does not prefer them.
func (k kernelAssessor) prefers(held initramfs.Module, all []initramfs.Module) bool {
	rules := modprobe.ReadDepmod(k.s.Layout.Root, string(k.s.Kernel))
	return !slices.ContainsFunc(all, func(other initramfs.Module) bool {
		taken, _ := rules.Choose(other.Path, held.Path)
		otherWay, _ := rules.Choose(held.Path, other.Path)
		return other.Path != held.Path && (!strings.HasPrefix(other.Path, "kernel/") || taken != held.Path || otherWay != held.Path)
	})
}

// heldText describes a copy in the initramfs that is another build than the installed one.
func heldText(name string, f dkmsstate.File, held initramfs.Module) string {
	if held.Path != f.Path() {
		return fmt.Sprintf("the initramfs contains another module %s, %s", name, held.Path)
	}
	return fmt.Sprintf("an older copy of %s is in the initramfs", name)
}

// staleInitramfs finds an initramfs that contains another build of an installed module.
func (k kernelAssessor) staleInitramfs(m dkmsstate.Module) {
	started := k.initramfs()
	if k.work.owed || !started.readable() || !k.s.InOrder(m) || k.ignored(m) {
		return
	}
	b, _ := k.s.Build(m, k.s.Arch)
	for _, f := range b.Files {
		name := modprobe.ModuleName(f.Name)
		if !k.look().Answers(name, started.stamp) {
			continue
		}
		all := k.look().Named(name)
		same := slices.ContainsFunc(all, func(held initramfs.Module) bool { return held.Compare(k.identity(f)) != initramfs.HeldOther })
		if len(all) > 0 && !same {
			finding := Finding{Kind: OldInitramfs, Module: m.String(), Reason: heldText(name, f, all[0]), Fix: initramfsCommand(k.inv, k.s.Layout, k.s.Kernel)}
			if dkms.NeverUpdatesInitramfs(k.s.Layout) {
				finding.Reason += ", which is not updated: " + dkms.NoUpdate
				finding.Fix += " # -u writes nothing with update_initramfs=no"
			}
			k.addHere(finding)
			return
		}
	}
}

// identity returns the identity of an installed file, zero if it cannot be read.
func (k kernelAssessor) identity(f dkmsstate.File) kmod.Identity {
	file := k.s.Layout.InstalledFile(k.s.Kernel, f)
	if kept := k.look().Installed[f.Path()]; kept.Stamp == dkmsstate.StampFiles(file) {
		return kept.Identity
	}
	id, _ := k.s.Layout.Reader.Identity(k.ctx, file)
	return id
}

// bootInitramfs is the initramfs with which a kernel is started.
type bootInitramfs struct {
	// files are the paths, outside the root, of the files from which it is loaded, none if no
	// initramfs is. known reports whether they are known.
	files []string
	known bool
	// stamp identifies the state of the files.
	stamp string
}

// readable reports whether there is an initramfs that can be read.
func (i bootInitramfs) readable() bool { return i.known && len(i.files) > 0 }

// initramfs returns the initramfs of a kernel. A kernel that no boot loader is known to start has the
// one that Debian's tools make.
func (b boot) initramfs(layout dkmsstate.Layout, kernel dkmsstate.Release) bootInitramfs {
	var i bootInitramfs
	if b.next.Loader != "" && b.startsNext(kernel) {
		for _, name := range b.next.Initrd {
			i.files = append(i.files, layout.NoFollow().Inside(name))
		}
		i.known = b.next.InitrdKnown
	} else if file := layout.InitramfsPath(kernel); dkmsstate.Exists(file) {
		i.files, i.known = []string{file}, true
	} else {
		i.known = !makesInitramfs(layout)
	}
	i.stamp = dkmsstate.StampFiles(i.files...)
	return i
}

// makesInitramfs reports whether the system has a program that may put an initramfs in another
// place than Debian's.
func makesInitramfs(layout dkmsstate.Layout) bool {
	return slices.ContainsFunc([]string{"update-initramfs", "mkinitramfs", "dracut", "booster", "mkinitcpio", "ukify", "kernel-install", "mkosi-initrd"}, func(name string) bool {
		return dkmsstate.Exists(layout.Path("/usr/bin/"+name)) || dkmsstate.Exists(layout.Path("/usr/sbin/"+name))
	})
}
