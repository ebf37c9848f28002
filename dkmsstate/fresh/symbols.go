package fresh

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
)

// misfit is a symbol that a build takes from elsewhere and that nobody there has with the
// same CRC, so that the kernel would refuse the module.
type misfit struct {
	reason string
	// vmlinux reports whether the symbol is one of the kernel image itself. Nothing can
	// take the place of that, while a module that exports a symbol may come later.
	vmlinux bool
	// unknown reports whether nothing is known that exports the symbol, which proves little.
	unknown bool
}

// judgeSymbols compares the CRCs of the symbols that a build uses.
func (x Examination) judgeSymbols(b dkmsstate.Build, modules []kmod.Module) dkmsstate.Freshness {
	if !x.s.Buildable() {
		for _, ko := range modules {
			if symbol := kmod.CRCMismatch(ko.Uses, ownUses(x.Own())); symbol != "" {
				return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: fmt.Sprintf("symbol %s differs from the one that the kernel's own modules use", symbol)}
			}
		}
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "vermagic matches, no headers to compare with"}
	}
	if len(x.Symvers()) == 0 {
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "the headers have no Module.symvers"}
	}
	switch m := x.misfit(b, modules); {
	case m != nil && m.unknown:
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: m.reason}
	case m != nil:
		return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: m.reason}
	}
	return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "symbol versions match"}
}

// misfit returns the symbol that shows most clearly that a build does not fit, nil when
// everything that it uses is there.
//
// A symbol may come from the build itself, from another DKMS module, from a module in
// updates or extra, or from the kernel. What stands in the place of one of the kernel's
// modules (backports of mac80211, vendors' RDMA stacks) exports the same names with other
// CRCs, so that Module.symvers alone proves nothing about those.
func (x Examination) misfit(b dkmsstate.Build, modules []kmod.Module) *misfit {
	open := x.unmatched(modules)
	if len(open) == 0 {
		return nil
	}
	providers := x.providers(b)
	var found *misfit
	for _, symbol := range slices.Sorted(maps.Keys(open)) {
		m := x.judgeSymbol(symbol, open[symbol], providers)
		if m != nil && (m.vmlinux || found == nil || found.unknown) {
			found = m
		}
		if m != nil && (m.vmlinux && symbol == kmod.ModuleLayout) {
			break
		}
	}
	return found
}

// unmatched returns the symbols that modules use and that neither Module.symvers nor one
// of these modules has with the same CRC.
func (x Examination) unmatched(modules []kmod.Module) map[string]uint32 {
	kernel, open, displaced := x.Symvers(), map[string]uint32{}, x.displaced()
	for _, ko := range modules {
		for symbol, crc := range ko.Uses {
			given, known := kernel[symbol]
			inside := slices.ContainsFunc(modules, func(other kmod.Module) bool { own, ok := other.Exports[symbol]; return ok && own == crc })
			if !(known && given.CRC == crc && !displaced(symbol)) && !inside {
				open[symbol] = crc
			}
		}
	}
	return open
}

// displaced returns what reports whether a symbol is one of a module of the kernel that a
// module in updates or extra, or of DKMS, takes the place of.
func (x Examination) displaced() func(symbol string) bool {
	names := map[string]bool{}
	for path := range x.s.Dep.Paths {
		if !strings.HasPrefix(path, "kernel/") {
			names[dkmsstate.Underscored(kmod.TrimSuffix(filepath.Base(path)))] = true
		}
	}
	if len(names) == 0 {
		return func(string) bool { return false }
	}
	return func(symbol string) bool {
		given, ok := x.Symvers()[symbol]
		return ok && given.By != "vmlinux" && names[dkmsstate.Underscored(filepath.Base(given.By))]
	}
}

// providers are the modules beside a build that may export symbols to it.
type providers struct {
	// exports are the CRCs of each symbol.
	exports map[string][]uint32
	// names are those of modules that may stand in the place of the kernel's.
	names map[string]bool
	// unread reports whether one of them could not be read.
	unread bool
}

// providers reads the other DKMS modules of the kernel and those in updates and extra.
func (x Examination) providers(b dkmsstate.Build) providers {
	p := providers{exports: map[string][]uint32{}, names: map[string]bool{}}
	for _, name := range b.Names() {
		p.names[dkmsstate.Underscored(name)] = true
	}
	var files []string
	for _, other := range x.s.Builds {
		if other.Arch == b.Arch && other.Module.Name != b.Module.Name {
			files = append(files, x.s.Layout.BuiltFiles(x.s.Kernel, other)...)
		}
	}
	own := inTree(x.s.Layout, x.s.Kernel, x.s.Dep.Own())
	for path := range x.s.Dep.Paths {
		if !strings.HasPrefix(path, dkmsstate.InstalledUnder+"/") && !slices.Contains(own, path) {
			files = append(files, filepath.Join(x.s.Layout.KernelDir(x.s.Kernel), path))
		}
	}
	for _, file := range files {
		p.names[dkmsstate.Underscored(kmod.TrimSuffix(filepath.Base(file)))] = true
		ko, err := x.s.Layout.Reader.Read(x.ctx, file)
		p.unread = p.unread || err != nil
		for symbol, crc := range ko.Exports {
			p.exports[symbol] = append(p.exports[symbol], crc)
		}
	}
	return p
}

// judgeSymbol says how one symbol shows that a build does not fit, nil when it does not.
func (x Examination) judgeSymbol(symbol string, crc uint32, p providers) *misfit {
	if slices.Contains(p.exports[symbol], crc) {
		return nil
	}
	given, inKernel := x.Symvers()[symbol]
	switch {
	case inKernel && given.By == "vmlinux":
		return &misfit{fmt.Sprintf("symbol %s differs", symbol), true, false}
	case inKernel && !p.names[dkmsstate.Underscored(filepath.Base(given.By))]:
		if x.exportsItself(given.By, symbol, crc) {
			return nil
		}
		return &misfit{fmt.Sprintf("symbol %s of the kernel's module %s differs", symbol, filepath.Base(given.By)), false, false}
	case len(p.exports[symbol]) > 0:
		return &misfit{fmt.Sprintf("symbol %s of another module differs", symbol), false, false}
	case !p.unread && !inKernel:
		return &misfit{fmt.Sprintf("no module here exports the symbol %s", symbol), false, true}
	}
	return nil
}

// exportsItself reports whether the file of one of the kernel's own modules exports a
// symbol with a CRC, whatever Module.symvers says, or cannot be asked.
func (x Examination) exportsItself(exporter, symbol string, crc uint32) bool {
	base := dkmsstate.Underscored(filepath.Base(exporter))
	for _, path := range x.s.Dep.Own() {
		if dkmsstate.Underscored(kmod.TrimSuffix(filepath.Base(path))) != base {
			continue
		}
		ko, err := x.s.Layout.Reader.Read(x.ctx, filepath.Join(x.s.Layout.KernelDir(x.s.Kernel), path))
		its, exports := ko.Exports[symbol]
		return err != nil || !exports || its == crc
	}
	return false // it is not there
}
