package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// symbolsOf fabricates a kernel with module_layout of vmlinux and the symbol that one of
// its own modules exports, both with the CRC 1.
func symbolsOf(t *testing.T) fabricated {
	f := fabricate(t)
	f.kernelOf(1, "y", "#1")
	f.write("lib/modules/6.1.0-test/build/Module.symvers",
		"0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x00000001\twiphy_new\tnet/wireless/cfg80211\tEXPORT_SYMBOL\t\n")
	f.write("lib/modules/6.1.0-test/kernel/cfg80211.ko", string(kmodtest.File(kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"wiphy_new": 1}, Name: "cfg80211"}, "")))
	f.write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/cfg80211.ko\n")
	f.depmod()
	return f
}

// A symbol may come from more places than the kernel: what dkms built well is thrown away
// only for what nothing can put right.
func TestVerifyBuild(t *testing.T) {
	user := func(layout, wiphy uint32) kmodtest.Module {
		return kmodtest.Module{Vermagic: testMagic, Uses: map[string]uint32{"module_layout": layout, "wiphy_new": wiphy}, Name: "user"}
	}
	core := kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"wiphy_new": 7}, Name: "cfg80211"}
	for name, row := range map[string]struct {
		given func(f fabricated)
		odd   string
		err   string
	}{
		"the kernel's symbols": {func(f fabricated) { f.built("user", user(1, 1)) }, "", ""},
		"another vmlinux":      {func(f fabricated) { f.built("user", user(2, 1)) }, "", "symbol module_layout differs"},
		"its own copy of a module of the kernel": {func(f fabricated) {
			f.built("user", user(1, 7))
			f.built("cfg80211", core)
		}, "", ""},
		"another package's copy": {func(f fabricated) {
			f.built("user", user(1, 7))
			f.register(Module{"core", "1"}, "")
			f.write("var/lib/dkms/core/1/6.1.0-test/x86_64/module/cfg80211.ko", string(kmodtest.File(core, "")))
		}, "", ""},
		"a copy in updates": {func(f fabricated) {
			f.built("user", user(1, 7))
			f.write("lib/modules/6.1.0-test/updates/cfg80211.ko", string(kmodtest.File(core, "")))
			f.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\nupdates/cfg80211.ko:\n")
		}, "", ""},
		"a copy put in the place of the kernel's file": {func(f fabricated) {
			f.built("user", user(1, 7))
			f.write("lib/modules/6.1.0-test/kernel/cfg80211.ko", string(kmodtest.File(core, "")))
		}, "", ""},
		"nobody's": {func(f fabricated) { f.built("user", user(1, 9)) }, "symbol wiphy_new of the kernel's module cfg80211 differs, so that it may not load", ""},
		"unknown": {func(f fabricated) {
			f.built("user", kmodtest.Module{Vermagic: testMagic, Uses: map[string]uint32{"module_layout": 1, "mlx_new": 3}, Name: "user"})
		}, "no module here exports the symbol mlx_new, so that it may not load", ""},
		"no module": {func(f fabricated) { f.write(f.buildFile(Module{"user", "1"}), "text") }, "", "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			f := symbolsOf(t)
			f.register(Module{"user", "1"}, "")
			row.given(f)
			s := f.snapshot()
			b, ok := s.Build(Module{"user", "1"}, testArch)
			require.True(t, ok)
			odd, err := s.examine(t.Context()).verifyBuild(b)
			assert.Equal(t, row.odd, odd)
			if row.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, row.err)
		})
	}
}

// built adds a module's file to the build of user/1.
func (f fabricated) built(name string, ko kmodtest.Module) {
	f.write("var/lib/dkms/user/1/6.1.0-test/x86_64/module/"+name+".ko", string(kmodtest.File(ko, name)))
}

// A build that no longer fits is not replaced while its owner's own file, which does, is
// installed.
func TestOwnersFileThatFitsIsNotReplaced(t *testing.T) {
	f, one := symbolsOf(t), Module{"one", "1.0"}
	f.register(one, "")
	f.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2), Name: "one"})
	s, _ := f.examine(KernelRecord{})
	assert.Equal(t, Stale, s.Builds[0].Fresh.Verdict)
	f.write(f.installedFile("one.ko"), string(kmodtest.File(kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Name: "one"}, "by hand")))
	s, rec := f.examine(KernelRecord{})
	assert.Equal(t, Fresh, s.Builds[0].Fresh.Verdict, s.Builds[0].Fresh.Reason)
	assert.Empty(t, PlanAutoinstall(s, Goal{}).Tasks)
	f.write(f.installedFile("one.ko"), string(kmodtest.File(kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2), Name: "one"}, one.String())))
	s, _ = f.examine(rec)
	assert.Equal(t, Stale, s.Builds[0].Fresh.Verdict, "what the owner put there says nothing about the build")
}
