package dkmsstate

import (
	"fmt"
	"os"

	"dkms-hooks/dkmsstate/kmod"
)

// Freshness is whether a build still fits its kernel, and why. The kernel compares
// a CRC for each symbol that a module uses (CONFIG_MODVERSIONS), or nothing but
// vermagic; then what a build was made from is all that can tell.
type Freshness struct {
	Verdict FreshnessVerdict
	Reason  string
}

// FreshnessVerdict is one of three.
type FreshnessVerdict string

// A fresh build was made for the kernel as it is. A stale one does not load, or
// loads and reads wrong memory. Of an unknown one nothing proves either.
const (
	Fresh   FreshnessVerdict = "fresh"
	Stale   FreshnessVerdict = "stale"
	Unknown FreshnessVerdict = "unknown"
)

func (x examination) judge(b Build, known BuildRecord, from Origin, recorded bool) Freshness {
	switch {
	case recorded && known.Kernel == x.stamps:
		return Freshness{Fresh, "nothing has changed since it was found to fit"}
	case recorded && known.From == x.origin().id():
		return Freshness{Fresh, "the kernel and its headers are those that it was built for"}
	}
	var modules []kmod.Module
	for _, file := range x.s.Layout.builtFiles(x.s.Kernel, b) {
		ko, err := x.s.Layout.reader.Read(x.ctx, file)
		if err != nil {
			return Freshness{Unknown, err.Error()}
		}
		modules = append(modules, ko)
	}
	versioned := false
	for _, ko := range modules {
		if reason := x.vermagicMismatch(ko); reason != "" {
			return Freshness{Stale, reason}
		}
		versioned = versioned || len(ko.Uses) > 0
	}
	if versioned {
		return x.judgeSymbols(b, modules)
	}
	return x.judgeOrigin(b, from, recorded)
}

// vermagicMismatch compares vermagic with that of most of the kernel's own modules, as the
// kernel does with its own.
func (x examination) vermagicMismatch(ko kmod.Module) string {
	versioned := len(ko.Uses) > 0
	mine, its := magic(ko, versioned), ownMagic(x.own(), versioned)
	if mine == its || its == "" {
		return ""
	}
	return fmt.Sprintf("its vermagic is %q, that of the kernel's own modules %q", mine, its)
}

// judgeOrigin is for a kernel without symbol versions.
func (x examination) judgeOrigin(b Build, from Origin, recorded bool) Freshness {
	now := x.origin()
	switch {
	case !recorded && x.s.buildable() && x.builtLast(b):
		return Freshness{Fresh, "it was built after the kernel and its headers came"}
	case !recorded && x.s.buildable():
		return Freshness{Unknown, "nothing tells what it was built from"}
	case !recorded:
		return Freshness{Unknown, "nothing tells what it was built from"}
	case from.Config != now.Config && from.Config != "" && now.Config != "":
		return Freshness{Stale, "the kernel is configured in another way than the one that it was built for"}
	case !x.s.buildable():
		return Freshness{Unknown, "the headers that it was built from are not there to compare with"}
	case from.Map == now.Map && now.Map != "" && from.Symvers == now.Symvers && from.Conf == now.Conf:
		return Freshness{Fresh, "the kernel has the layout of the one that it was built for"}
	case from.Symvers == now.Symvers && from.Conf == now.Conf && from.Uts == now.Uts:
		return Freshness{Unknown, "the image is another one, and its headers have not come"}
	}
	return Freshness{Stale, "the headers are others than those that it was built from"}
}

// builtLast reports whether a build was made after everything of the kernel and of its
// headers was unpacked.
func (x examination) builtLast(b Build) bool {
	for _, file := range x.s.Layout.builtFiles(x.s.Kernel, b) {
		built, err := os.Stat(file)
		if err != nil {
			return false
		}
		for _, path := range x.s.Layout.originFiles(x.s.Kernel) {
			if info, err := os.Stat(path); err == nil && !built.ModTime().After(changed(info)) {
				return false
			}
		}
	}
	return true
}
