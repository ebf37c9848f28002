package dkmsstate

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// A sample of the kernel's own modules tells what the image is: each names the CRC
// of some symbols, and every one that of module_layout.
const (
	ownSample = 48
	ownSize   = 256 << 10
)

// readOwn reads a sample of the kernel's own modules, small ones from all over.
func readOwn(ctx context.Context, s Snapshot) []Ko {
	paths := s.Dep.Own()
	var sample []string
	for i, step := 0, max(1, len(paths)/ownSample); i < len(paths); i += step {
		path := filepath.Join(s.Layout.kernelDir(s.Kernel), paths[i])
		if info, err := os.Stat(path); err == nil && info.Size() <= ownSize {
			sample = append(sample, path)
		}
	}
	own := make([]Ko, len(sample))
	sideBySide(len(sample), func(i int) {
		if ko, err := readKo(ctx, sample[i]); err == nil {
			own[i] = ko
		}
	})
	return slices.DeleteFunc(own, func(ko Ko) bool { return ko.Vermagic == "" })
}

func ownUses(own []Ko) map[string]uint32 {
	out := map[string]uint32{}
	for _, ko := range own {
		maps.Copy(out, ko.Uses)
	}
	return out
}

func (s Snapshot) readSymvers() map[string]uint32 {
	symvers, _ := readSymvers(filepath.Join(s.Layout.headersDir(s.Kernel), "Module.symvers"))
	return symvers
}

// mismatch says how the headers show that they are not the image's: the image is
// unpacked, and its headers are still those of the one before. A build made then
// would fit neither.
func (x examination) mismatch() string {
	if !x.s.Headers || !x.s.There {
		return ""
	}
	if uses := ownUses(x.own()); len(uses) > 0 {
		if symbol := differs(uses, x.symvers()); symbol != "" {
			return fmt.Sprintf("symbol %s has one CRC in the kernel's modules and another in the headers", symbol)
		}
		return ""
	}
	image, err := readRegular(x.s.Layout.imageFile(x.s.Kernel, "config"))
	headers, err2 := readRegular(filepath.Join(x.s.Layout.headersDir(x.s.Kernel), "include/config/auto.conf"))
	if err != nil || err2 != nil {
		return "" // nothing tells
	}
	return optionsDiffer(readOptions(image), readOptions(headers))
}
