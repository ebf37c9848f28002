package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

func TestOwnersFileStays(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, change := range map[string]func(f fabricated, installed []byte){
		"signed": func(f fabricated, ko []byte) { f.write(f.installedFile("one.ko"), string(kmodtest.Sign(ko, "owner"))) },
		"compressed": func(f fabricated, ko []byte) {
			f.remove(f.installedFile("one.ko"))
			f.write(f.installedFile("one.ko.gz"), string(kmodtest.Gzip(kmodtest.Sign(ko, "owner"))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.install(one)
			change(f, []byte(builtOf(one)))
			f.depmod()
			before := f.listing()
			for _, goal := range []Goal{{}, KeepOnly()} {
				s, rec := f.examine(KernelRecord{})
				assert.Empty(t, PlanAutoinstall(s, goal).Tasks)
				assert.Empty(t, PlanAutoinstall(s, goal).Depmod)
				assert.True(t, s.InOrder(one))
				assert.NotEmpty(t, s.Builds[0].Unusual())
				again, err := ReadSnapshot(f.layout, testKernel, testArch, rec)
				require.NoError(t, err)
				assert.Equal(t, s.Builds[0].Files, again.Builds[0].Files, "the record tells the same")
			}
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Restore(one, testArch, true))
			assert.Equal(t, before, f.listing())
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(one))
			assert.NoFileExists(t, f.path(f.installedFile("one.ko")))
			assert.NoFileExists(t, f.path(f.installedFile("one.ko.gz")), "it goes with the kernel")
		})
	}
}
