package dkmsstate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

func TestOwnersFileStays(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, change := range map[string]func(f dkmstest.Root, installed []byte){
		"signed": func(f dkmstest.Root, ko []byte) {
			f.Write(f.InstalledFile("one.ko"), string(kmodtest.Sign(ko, "owner")))
		},
		"compressed": func(f dkmstest.Root, ko []byte) {
			f.Remove(f.InstalledFile("one.ko"))
			f.Write(f.InstalledFile("one.ko.gz"), string(kmodtest.Gzip(kmodtest.Sign(ko, "owner"))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.AddInstalled(one)
			change(f, []byte(dkmstest.BuiltOf(one)))
			f.Depmod()
			before := f.Listing()
			for _, goal := range []plan.Goal{{}, plan.KeepOnly()} {
				s, rec := f.Examine(fresh.Examine, dkmsstate.KernelRecord{})
				assert.Empty(t, plan.Autoinstall(s, goal).Tasks)
				assert.Empty(t, plan.Autoinstall(s, goal).Depmod)
				assert.True(t, s.InOrder(one))
				assert.NotEmpty(t, s.Builds[0].Unusual())
				again, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, rec)
				require.NoError(t, err)
				assert.Equal(t, s.Builds[0].Files, again.Builds[0].Files, "the record tells the same")
			}
			require.NoError(t, apply.Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Restore(one, dkmstest.Arch, true))
			assert.Equal(t, before, f.Listing())
			require.NoError(t, apply.Tree{Layout: f.Layout, Kernel: dkmstest.Kernel}.Unbuild(one))
			assert.NoFileExists(t, f.Path(f.InstalledFile("one.ko")))
			assert.NoFileExists(t, f.Path(f.InstalledFile("one.ko.gz")), "it goes with the kernel")
		})
	}
}
