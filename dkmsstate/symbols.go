package dkmsstate

import (
	"fmt"
	"maps"
	"slices"
)

// judgeSymbols compares the CRCs of the symbols that a build uses.
func (x examination) judgeSymbols(b Build, modules []Ko) Freshness {
	if !x.s.buildable() {
		for _, ko := range modules {
			if symbol := differs(ko.Uses, ownUses(x.own())); symbol != "" {
				return Freshness{Stale, fmt.Sprintf("symbol %s differs from the one that the kernel's own modules use", symbol)}
			}
		}
		return Freshness{Unknown, "the kernel's own modules agree, and there are no headers of it to ask"}
	}
	given := x.symvers()
	if len(given) == 0 {
		return Freshness{Unknown, "the headers have no Module.symvers to compare with"}
	}
	others := x.exportsOfOthers(b, modules)
	for _, ko := range modules {
		if symbol := differs(ko.Uses, given); symbol != "" {
			return Freshness{Stale, fmt.Sprintf("symbol %s differs", symbol)}
		}
		for _, symbol := range slices.Sorted(maps.Keys(ko.Uses)) {
			_, inKernel := given[symbol]
			crc, elsewhere := others[symbol]
			switch {
			case inKernel:
			case elsewhere && crc != ko.Uses[symbol]:
				return Freshness{Stale, fmt.Sprintf("symbol %s of another module differs", symbol)}
			case !elsewhere && !x.s.Dep.foreign():
				return Freshness{Stale, fmt.Sprintf("symbol %s is gone", symbol)}
			}
		}
	}
	return Freshness{Fresh, "the symbols that it uses are those of the kernel"}
}

// exportsOfOthers gives the symbols that the files of this build and of the others
// on this kernel export.
func (x examination) exportsOfOthers(b Build, modules []Ko) map[string]uint32 {
	out := map[string]uint32{}
	for _, ko := range modules {
		maps.Copy(out, ko.Exports)
	}
	kernel := x.symvers()
	if !slices.ContainsFunc(modules, func(ko Ko) bool {
		for symbol := range ko.Uses {
			if _, ok := kernel[symbol]; !ok {
				return true
			}
		}
		return false
	}) {
		return out // none of them is asked for
	}
	for _, other := range x.s.Builds {
		if other.Arch != b.Arch || other.Module.Name == b.Module.Name {
			continue
		}
		for _, file := range x.s.Layout.builtFiles(x.s.Kernel, other) {
			if ko, err := readKo(x.ctx, file); err == nil {
				maps.Copy(out, ko.Exports)
			}
		}
	}
	return out
}
