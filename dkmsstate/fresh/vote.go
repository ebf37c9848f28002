package fresh

import (
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// most returns the value that more than half of the voices give, and reports whether
// there is one.
func most[T comparable](voices []T) (T, bool) {
	count := map[T]int{}
	for _, voice := range voices {
		count[voice]++
		if 2*count[voice] > len(voices) {
			return voice, true
		}
	}
	var none T
	return none, false
}

// ownUses returns the CRCs of the kernel's symbols, as its own modules agree on them.
// One of another build may lie among them, from a vendor or as a correction by a
// distributor, so that no single module is believed as long as there are others: those
// of another module_layout than most could not be loaded, and have no voice.
func ownUses(own []kmod.Module) map[string]uint32 {
	var layouts []uint32
	for _, ko := range own {
		if len(ko.Uses) > 0 {
			layouts = append(layouts, ko.Uses[kmod.ModuleLayout])
		}
	}
	out := map[string]uint32{}
	ofMost, agreed := most(layouts)
	if !agreed {
		return out
	}
	voters := 0
	voices := map[string][]uint32{}
	for _, ko := range own {
		if len(ko.Uses) == 0 || ko.Uses[kmod.ModuleLayout] != ofMost {
			continue
		}
		voters++
		for symbol, crc := range ko.Uses {
			voices[symbol] = append(voices[symbol], crc)
		}
	}
	for symbol, crcs := range voices {
		if crc, agreed := most(crcs); agreed && len(crcs) >= min(2, voters) {
			out[symbol] = crc
		}
	}
	return out
}

// ownMagic returns the vermagic of most of the kernel's own modules, "" where there is
// none. With symbol versions it has no release, which the kernel does not compare then
// (kernel/module/version.c).
func ownMagic(own []kmod.Module, versioned bool) string {
	var voices []string
	for _, ko := range own {
		voices = append(voices, magic(ko, versioned))
	}
	value, _ := most(voices)
	return value
}

func magic(ko kmod.Module, versioned bool) string {
	if _, rest, ok := strings.Cut(ko.Vermagic, " "); ok && versioned {
		return rest
	}
	return ko.Vermagic
}
