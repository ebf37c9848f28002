package fresh

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

func TestOwnUses(t *testing.T) {
	ko := func(layout, a, b uint32) kmod.Module {
		uses := map[string]uint32{"module_layout": layout}
		if a != 0 {
			uses["a"] = a
		}
		if b != 0 {
			uses["b"] = b
		}
		return kmod.Module{Uses: uses}
	}
	for name, c := range map[string]struct {
		own  []kmod.Module
		want map[string]uint32
	}{
		"none":                        {nil, map[string]uint32{}},
		"without versions":            {[]kmod.Module{{}, {}}, map[string]uint32{}},
		"one":                         {[]kmod.Module{ko(1, 2, 0)}, map[string]uint32{"module_layout": 1, "a": 2}},
		"all agree":                   {[]kmod.Module{ko(1, 2, 0), ko(1, 2, 0)}, map[string]uint32{"module_layout": 1, "a": 2}},
		"one of another build":        {[]kmod.Module{ko(9, 8, 7), ko(1, 2, 3), ko(1, 2, 3)}, map[string]uint32{"module_layout": 1, "a": 2, "b": 3}},
		"two builds, none has most":   {[]kmod.Module{ko(9, 8, 7), ko(1, 2, 3)}, map[string]uint32{}},
		"one symbol of another build": {[]kmod.Module{ko(1, 8, 0), ko(1, 2, 0), ko(1, 2, 0)}, map[string]uint32{"module_layout": 1, "a": 2}},
		"a symbol of one alone":       {[]kmod.Module{ko(1, 2, 7), ko(1, 2, 0), ko(1, 2, 0)}, map[string]uint32{"module_layout": 1, "a": 2}},
		"no agreement on a symbol":    {[]kmod.Module{ko(1, 2, 0), ko(1, 3, 0)}, map[string]uint32{"module_layout": 1}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, ownUses(c.own)) })
	}
}

func TestOwnMagic(t *testing.T) {
	own := []kmod.Module{{Vermagic: "9 other"}, {Vermagic: "1 SMP"}, {Vermagic: "2 SMP"}, {Vermagic: "1 SMP"}, {Vermagic: "1 SMP"}}
	assert.Equal(t, "1 SMP", ownMagic(own, false))
	assert.Equal(t, "SMP", ownMagic(own, true))
	assert.Empty(t, ownMagic(own[:2], false))
	assert.Empty(t, ownMagic(nil, false))
}

// A module that others put among the kernel's own makes neither the headers a mismatch nor a
// build stale. The result is discarded when the files that it depends on change.
func TestModulesOfAnotherBuildAmongTheKernels(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Remove("lib/modules/6.1.0-test/modules.order")
	f.Register(one, "")
	f.KernelOf(1, "y", "#1")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
	own := func(name string, crc uint32) {
		f.Write("lib/modules/6.1.0-test/kernel/"+name, string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(crc)}, name)))
		f.Depmod()
	}
	own("a-vendors.ko", 2)
	for i := range 3 {
		own(fmt.Sprintf("own%d.ko", i), 1)
	}
	s, rec := f.Examine(Examine, dkmsstate.KernelRecord{})
	assert.Empty(t, s.Mismatch)
	b, _ := s.Build(one, dkmstest.Arch)
	assert.Equal(t, dkmsstate.Fresh, b.Fresh.Verdict)

	for i := range 8 { // more of them than there are own ones
		own(fmt.Sprintf("vendors%d.ko", i), 2)
	}
	s, rec = f.Examine(Examine, rec)
	assert.NotEmpty(t, s.Mismatch, "nothing tells these from the kernel's own")
	f.Write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/own0.ko\nkernel/own1.ko\nkernel/own2.ko\n")
	s, rec = f.Examine(Examine, rec)
	assert.Empty(t, s.Mismatch, "the kernel's own list does")

	f.Remove("lib/modules/6.1.0-test/modules.order")
	s, rec = f.Examine(Examine, rec)
	require.NotEmpty(t, s.Mismatch)
	for i := range 8 {
		f.Remove(fmt.Sprintf("lib/modules/6.1.0-test/kernel/vendors%d.ko", i))
	}
	f.Depmod()
	s, rec = f.Examine(Examine, rec)
	assert.Empty(t, s.Mismatch, "they are gone")
	again := f.Snapshot()
	assert.Equal(t, rec, Examine(context.Background(), &again, rec))
}

// Headers without CRCs prove nothing by that. Neither do an image or headers without a
// configuration.
func TestHeadersThatProveNothing(t *testing.T) {
	for name, change := range map[string]func(f dkmstest.Root, build string){
		"no Module.symvers": func(f dkmstest.Root, build string) { f.Remove(build + "Module.symvers") },
		"an empty one":      func(f dkmstest.Root, build string) { f.Write(build+"Module.symvers", "") },
		"one without CRCs": func(f dkmstest.Root, build string) {
			f.Write(build+"Module.symvers", "0x00000000\tmodule_layout\tvmlinux\tE\t\n")
		},
		"no config, no CRCs": func(f dkmstest.Root, build string) {
			f.Remove(build + "Module.symvers")
			f.Remove("boot/config-6.1.0-test")
		},
		"no auto.conf, no CRC": func(f dkmstest.Root, build string) {
			f.Remove(build + "Module.symvers")
			f.Remove(build + "include/config/auto.conf")
		},
		"no modules.dep": func(f dkmstest.Root, build string) {
			f.HeadersOf(2, "y", "#1")
			f.Remove("lib/modules/6.1.0-test/modules.dep")
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(dkmsstate.Module{Name: "one", Version: "1.0"}, "")
			f.KernelOf(1, "y", "#1")
			change(f, "lib/modules/6.1.0-test/build/")
			s, _ := f.Examine(Examine, dkmsstate.KernelRecord{})
			assert.Empty(t, s.Mismatch)
			assert.Len(t, plan.Autoinstall(s, plan.Goal{}).Tasks, 1)
		})
	}
}

// Forced builds modules with headers of another image.
func TestForced(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.KernelOf(1, "y", "#1")
	f.HeadersOf(2, "y", "#2")
	s, rec := f.Examine(Examine, dkmsstate.KernelRecord{})
	require.NotEmpty(t, s.Mismatch)
	assert.Equal(t, []dkmsstate.Module{one}, plan.Autoinstall(s, plan.Goal{}).NeedHeaders)
	s.Forced = true
	Examine(context.Background(), &s, rec)
	p := plan.Autoinstall(s, plan.Goal{})
	require.Len(t, p.Tasks, 1)
	assert.True(t, p.Tasks[0].Builds())
	assert.Empty(t, p.NeedHeaders)
}

// On a kernel with everything built in, a vendor's module may be the only one below kernel/. It
// proves nothing about the kernel.
func TestOneModuleOfAnotherBuildIsNoWitness(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.KernelOf(1, "y", "#1")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
	f.Remove("lib/modules/6.1.0-test/kernel/own.ko")
	f.Write("lib/modules/6.1.0-test/kernel/acme.ko", string(kmodtest.File(kmodtest.Module{Vermagic: "6.1.0 another", Uses: kmodtest.Uses(2)}, "acme")))
	f.Depmod()
	for _, order := range []string{"", "none"} {
		if order == "none" {
			f.Remove("lib/modules/6.1.0-test/modules.order")
		} else {
			f.Write("lib/modules/6.1.0-test/modules.order", order)
		}
		s, _ := f.Examine(Examine, dkmsstate.KernelRecord{})
		assert.Empty(t, s.Mismatch)
		b, _ := s.Build(one, dkmstest.Arch)
		odd, err := NewExamination(t.Context(), &s).VerifyBuild(b)
		assert.NoError(t, err)
		assert.Empty(t, odd)
	}
}
