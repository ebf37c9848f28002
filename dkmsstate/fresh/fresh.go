package fresh

import (
	"fmt"
	"os"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

func (x Examination) judge(b dkmsstate.Build, known dkmsstate.BuildRecord, from dkmsstate.Origin, recorded bool) dkmsstate.Freshness {
	switch {
	case recorded && known.Kernel == x.Stamps:
		return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "unchanged since the last check"}
	case recorded && known.From == x.Origin().ID():
		return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "kernel and headers are those it was built for"}
	}
	var modules []kmod.Module
	for _, file := range x.s.Layout.BuiltFiles(x.s.Kernel, b) {
		ko, err := x.s.Layout.Reader.Read(x.ctx, file)
		if err != nil {
			return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: err.Error()}
		}
		modules = append(modules, ko)
	}
	versioned := false
	for _, ko := range modules {
		if reason := x.vermagicMismatch(ko); reason != "" {
			return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: reason, Rejected: true}
		}
		versioned = versioned || len(ko.Uses) > 0
	}
	if versioned {
		return x.judgeSymbols(b, modules)
	}
	return x.judgeOrigin(b, from, recorded)
}

// vermagicMismatch returns how the vermagic of a module differs from that of most of the
// kernel's own modules, or "" if it does not. The kernel compares it with its own in the same
// way.
func (x Examination) vermagicMismatch(ko kmod.Module) string {
	versioned := len(ko.Uses) > 0
	mine, its := magic(ko, versioned), ownMagic(x.Own(), versioned)
	if mine == its || its == "" {
		return ""
	}
	return fmt.Sprintf("its vermagic is %q, and that of the kernel's own modules is %q", mine, its)
}

// judgeOrigin judges a build by what it was built from, for a kernel without symbol versions.
func (x Examination) judgeOrigin(b dkmsstate.Build, from dkmsstate.Origin, recorded bool) dkmsstate.Freshness {
	now := x.Origin()
	switch {
	case !recorded && x.s.Buildable() && x.builtLast(b):
		return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "it was built after the kernel and its headers were unpacked"}
	case !recorded && x.s.Buildable():
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "it is not known what it was built from"}
	case !recorded:
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "it is not known what it was built from"}
	case from.Config != now.Config && from.Config != "" && now.Config != "":
		return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: "the kernel's configuration differs from the one it was built for"}
	case !x.s.Buildable():
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "the headers it was built with are not installed"}
	case from.Map == now.Map && now.Map != "" && from.Symvers == now.Symvers && from.Conf == now.Conf:
		return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "kernel layout unchanged since it was built"}
	case from.Symvers == now.Symvers && from.Conf == now.Conf && from.Uts == now.Uts:
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "the image has changed, but its headers are not installed yet"}
	}
	return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: "the headers differ from those it was built with"}
}

// builtLast reports whether a build was made after all files of the kernel and of its headers
// were unpacked.
func (x Examination) builtLast(b dkmsstate.Build) bool {
	for _, file := range x.s.Layout.BuiltFiles(x.s.Kernel, b) {
		built, err := os.Stat(file)
		if err != nil {
			return false
		}
		for _, path := range x.s.Layout.OriginFiles(x.s.Kernel) {
			if info, err := os.Stat(path); err == nil && !built.ModTime().After(dkmsstate.Changed(info)) {
				return false
			}
		}
	}
	return true
}
