package fresh

import (
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// most returns the value of more than half of the voices, and reports whether there is one.
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

// ownUses returns the CRCs of the kernel's symbols on which its own modules agree. A module of
// another build may be among them, from a vendor or as a fix by a distributor, so no single
// module is believed as long as there are others. Modules with another module_layout than most
// could not be loaded and do not count.
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

// ownMagic returns the vermagic of most of the kernel's own modules, or "" if there is none.
// With symbol versions it does not contain the release, which the kernel does not compare then
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
