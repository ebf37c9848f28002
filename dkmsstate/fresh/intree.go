package fresh

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/regular"
)

// ownSample is roughly how many of the kernel's own modules are read, and ownSize is the size
// up to which they are. They show what the image is: each contains the CRCs of some symbols,
// and all of them that of module_layout.
const (
	ownSample = 48
	ownSize   = 256 << 10
)

// ownSamples returns the paths of a sample of the kernel's own modules: small ones from the
// whole of modules.dep.
func ownSamples(s dkmsstate.Snapshot) []string {
	paths := inTree(s.Layout, s.Kernel, s.Own())
	var sample []string
	for i, step := 0, max(1, len(paths)/ownSample); i < len(paths); i += step {
		path := filepath.Join(s.Layout.KernelDir(s.Kernel), paths[i])
		if info, err := os.Stat(path); err == nil && info.Size() <= ownSize {
			sample = append(sample, path)
		}
	}
	return sample
}

// inTree returns those of the modules below kernel/ that were built with the kernel, according
// to modules.order. Others may have put modules there too. Without that list it returns all of
// them, but none if there is a single one, which may be anybody's.
func inTree(l dkmsstate.Layout, kernel dkmsstate.Release, paths []string) []string {
	order, err := regular.ReadFile(filepath.Join(l.KernelDir(kernel), "modules.order"))
	if err != nil && len(paths) > 1 {
		return paths
	}
	built := map[string]bool{}
	for line := range strings.Lines(string(order)) {
		built[strings.TrimSpace(line)] = true
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !built[kmod.TrimSuffix(path)+".ko"] })
}

// readOwn reads the modules of a sample.
func readOwn(ctx context.Context, l dkmsstate.Layout, sample []string) []kmod.Module {
	own := make([]kmod.Module, len(sample))
	dkmsstate.SideBySide(len(sample), func(i int) {
		if ko, err := l.Reader.Read(ctx, sample[i]); err == nil {
			own[i] = ko
		}
	})
	return slices.DeleteFunc(own, func(ko kmod.Module) bool { return ko.Vermagic == "" })
}

func readSymvers(s dkmsstate.Snapshot) map[string]kmod.Export {
	symvers, _ := kmod.ReadSymvers(filepath.Join(s.Layout.HeadersDir(s.Kernel), "Module.symvers"))
	return symvers
}

// mismatch returns what shows that the headers are not those of the image, or "" if nothing
// does. That is so when a new image is unpacked and the headers are still those of the previous
// one. A build made then would fit neither. If nothing proves it, dkms may build, as it does by
// itself.
func (x Examination) mismatch() string {
	if !x.s.Headers || !x.s.There {
		return ""
	}
	uses, given := ownUses(x.Own()), map[string]uint32{}
	for symbol := range uses {
		if given[symbol] = x.Symvers()[symbol].CRC; given[symbol] == 0 { // the headers have no CRC of it
			delete(uses, symbol)
		}
	}
	if symbol := kmod.CRCMismatch(uses, given); symbol != "" {
		return fmt.Sprintf("symbol %s has one CRC in the kernel's modules and another in the headers", symbol)
	}
	if len(uses) > 0 {
		return ""
	}
	image, err := regular.ReadFile(x.s.Layout.ImageFile(x.s.Kernel, "config"))
	headers, err2 := regular.ReadFile(filepath.Join(x.s.Layout.HeadersDir(x.s.Kernel), "include/config/auto.conf"))
	if err != nil || err2 != nil {
		return "" // nothing shows it
	}
	return optionsDiffer(readOptions(image), readOptions(headers))
}
