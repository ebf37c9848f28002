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

// misfit is a symbol that a build imports and that nothing exports with the same CRC, so that
// the kernel would refuse the module.
type misfit struct {
	reason string
	// vmlinux reports whether the kernel image itself exports the symbol. Nothing can replace
	// the image, while a module that exports the symbol may be installed later.
	vmlinux bool
	// unknown reports whether no known module exports the symbol, which proves little.
	unknown bool
}

// judgeSymbols judges a build by the CRCs of the symbols that it uses.
func (x Examination) judgeSymbols(b dkmsstate.Build, modules []kmod.Module) dkmsstate.Freshness {
	if !x.s.Buildable() {
		for _, ko := range modules {
			if symbol := kmod.CRCMismatch(ko.Uses, ownUses(x.Own())); symbol != "" {
				return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Rejected: symbol == kmod.ModuleLayout, // a module of dkms may export any other
					Reason: fmt.Sprintf("the kernel's own modules use another version of symbol %s", symbol)}
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
		return dkmsstate.Freshness{Verdict: dkmsstate.Stale, Reason: m.reason, Rejected: m.vmlinux}
	}
	if symbol := x.unresolved(b, modules); symbol != "" {
		return dkmsstate.Freshness{Verdict: dkmsstate.Unknown, Reason: "no known module exports symbol " + symbol}
	}
	return dkmsstate.Freshness{Verdict: dkmsstate.Fresh, Reason: "symbol versions match"}
}

// misfit returns the symbol that shows most clearly that a build does not fit, or nil if
// everything that it uses is there.
//
// A symbol may come from the build itself, from another DKMS module, from a module in updates
// or extra, or from the kernel. A module that replaces one of the kernel's (backports of
// mac80211, RDMA stacks of vendors) exports the same names with other CRCs, so that
// Module.symvers alone proves nothing about these.
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

// unresolved returns a symbol without a CRC that modules of a build use and that nothing exports,
// "" if there is none.
func (x Examination) unresolved(b dkmsstate.Build, modules []kmod.Module) string {
	var open []string
	for _, ko := range modules {
		for _, symbol := range ko.Unversioned {
			_, inKernel := x.Symvers()[symbol]
			inside := slices.ContainsFunc(modules, func(other kmod.Module) bool { _, ok := other.Exports[symbol]; return ok })
			if !inKernel && !inside {
				open = append(open, symbol)
			}
		}
	}
	if len(open) == 0 {
		return ""
	}
	p := x.providers(b)
	i := slices.IndexFunc(open, func(symbol string) bool { return len(p.exports[symbol]) == 0 })
	if i < 0 || p.unread {
		return ""
	}
	return open[i]
}

// unmatched returns the symbols that modules use and that neither Module.symvers nor one of
// these modules has with the same CRC. A displaced symbol of Module.symvers does not count.
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

// displaced returns a function that reports whether a symbol belongs to a module of the kernel
// that is replaced by a module in updates or extra, or by one of DKMS.
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

// providers are the modules, apart from a build's own, that may export symbols to it.
type providers struct {
	// exports are the CRCs with which each symbol is exported.
	exports map[string][]uint32
	// names are the names of modules that may replace the kernel's.
	names map[string]bool
	// unread reports whether one of them could not be read.
	unread bool
}

// providers reads the other DKMS modules of the kernel and the modules in updates and extra.
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
	own, place := inTree(x.s.Layout, x.s.Kernel, x.s.Own()), x.s.Places()
	for path := range x.s.Dep.Paths {
		if !place(path) && !slices.Contains(own, path) {
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

// judgeSymbol returns how one symbol shows that a build does not fit, or nil if it does not.
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
		return &misfit{fmt.Sprintf("no known module exports symbol %s", symbol), false, true}
	}
	return nil
}

// exportsItself reports whether the file of one of the kernel's own modules exports a symbol
// with this CRC, whatever Module.symvers says. It also reports true if the file cannot be read
// or does not export the symbol, which proves nothing.
func (x Examination) exportsItself(exporter, symbol string, crc uint32) bool {
	base := dkmsstate.Underscored(filepath.Base(exporter))
	for _, path := range x.s.Own() {
		if dkmsstate.Underscored(kmod.TrimSuffix(filepath.Base(path))) != base {
			continue
		}
		ko, err := x.s.Layout.Reader.Read(x.ctx, filepath.Join(x.s.Layout.KernelDir(x.s.Kernel), path))
		its, exports := ko.Exports[symbol]
		return err != nil || !exports || its == crc
	}
	return false // there is no such file
}
