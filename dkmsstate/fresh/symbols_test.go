package fresh

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

// symbolsOf creates a kernel with module_layout of vmlinux and a symbol that one of its own
// modules exports, both with the CRC 1.
func symbolsOf(t *testing.T) dkmstest.Root {
	f := dkmstest.New(t)
	f.KernelOf(1, "y", "#1")
	f.Write("lib/modules/6.1.0-test/build/Module.symvers",
		"0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n0x00000001\twiphy_new\tnet/wireless/cfg80211\tEXPORT_SYMBOL\t\n")
	f.Write("lib/modules/6.1.0-test/kernel/cfg80211.ko", string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"wiphy_new": 1}, Name: "cfg80211"}, "")))
	f.Write("lib/modules/6.1.0-test/modules.order", "kernel/own.ko\nkernel/cfg80211.ko\n")
	f.Depmod()
	return f
}

// A symbol may come from elsewhere than the kernel. A build is rejected only for a mismatch
// that nothing can resolve.
func TestVerifyBuild(t *testing.T) {
	user := func(layout, wiphy uint32) kmodtest.Module {
		return kmodtest.Module{Vermagic: dkmstest.Magic, Uses: map[string]uint32{"module_layout": layout, "wiphy_new": wiphy}, Name: "user"}
	}
	core := kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"wiphy_new": 7}, Name: "cfg80211"}
	for name, row := range map[string]struct {
		given func(f dkmstest.Root)
		odd   string
		err   string
	}{
		"the kernel's symbols": {func(f dkmstest.Root) { f.Built("user", user(1, 1)) }, "", ""},
		"another vmlinux":      {func(f dkmstest.Root) { f.Built("user", user(2, 1)) }, "", "symbol module_layout differs"},
		"its own copy of a module of the kernel": {func(f dkmstest.Root) {
			f.Built("user", user(1, 7))
			f.Built("cfg80211", core)
		}, "", ""},
		"another package's copy": {func(f dkmstest.Root) {
			f.Built("user", user(1, 7))
			f.Register(dkmsstate.Module{Name: "core", Version: "1"}, "")
			f.Write("var/lib/dkms/core/1/6.1.0-test/x86_64/module/cfg80211.ko", string(kmodtest.File(core, "")))
		}, "", ""},
		"a copy in updates": {func(f dkmstest.Root) {
			f.Built("user", user(1, 7))
			f.Write("lib/modules/6.1.0-test/updates/cfg80211.ko", string(kmodtest.File(core, "")))
			f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko:\nupdates/cfg80211.ko:\n")
		}, "", ""},
		"a copy put in the place of the kernel's file": {func(f dkmstest.Root) {
			f.Built("user", user(1, 7))
			f.Write("lib/modules/6.1.0-test/kernel/cfg80211.ko", string(kmodtest.File(core, "")))
		}, "", ""},
		"nobody's": {func(f dkmstest.Root) { f.Built("user", user(1, 9)) }, "symbol wiphy_new of the kernel's module cfg80211 differs, so it may not load", ""},
		"unknown": {func(f dkmstest.Root) {
			f.Built("user", kmodtest.Module{Vermagic: dkmstest.Magic, Uses: map[string]uint32{"module_layout": 1, "mlx_new": 3}, Name: "user"})
		}, "no known module exports symbol mlx_new, so it may not load", ""},
		"no module": {func(f dkmstest.Root) { f.Write(f.BuildFile(dkmsstate.Module{Name: "user", Version: "1"}), "text") }, "", "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			f := symbolsOf(t)
			f.Register(dkmsstate.Module{Name: "user", Version: "1"}, "")
			row.given(f)
			s := f.Snapshot()
			b, ok := s.Build(dkmsstate.Module{Name: "user", Version: "1"}, dkmstest.Arch)
			require.True(t, ok)
			odd, err := NewExamination(t.Context(), &s).VerifyBuild(b)
			assert.Equal(t, row.odd, odd)
			if row.err == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, row.err)
		})
	}
}

// A stale build is not replaced while a file of its owner that fits the kernel is installed.
func TestOwnersFileThatFitsIsNotReplaced(t *testing.T) {
	f, one := symbolsOf(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2), Name: "one"})
	s, _ := f.Examine(Examine, dkmsstate.KernelRecord{})
	assert.Equal(t, dkmsstate.Stale, s.Builds[0].Fresh.Verdict)
	f.Write(f.InstalledFile("one.ko"), string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Name: "one"}, "by hand")))
	s, rec := f.Examine(Examine, dkmsstate.KernelRecord{})
	assert.Equal(t, dkmsstate.Fresh, s.Builds[0].Fresh.Verdict, s.Builds[0].Fresh.Reason)
	assert.Empty(t, plan.Autoinstall(s, plan.Goal{}).Tasks)
	f.Write(f.InstalledFile("one.ko"), string(kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2), Name: "one"}, one.String())))
	s, _ = f.Examine(Examine, rec)
	assert.Equal(t, dkmsstate.Stale, s.Builds[0].Fresh.Verdict, "what the owner put there says nothing about the build")
}
