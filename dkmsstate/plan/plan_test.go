package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
)

func TestNewestVersionIsBroughtInAndTheInstalledOneKept(t *testing.T) {
	f := dkmstest.New(t)
	old, mid, latest := dkmsstate.Module{Name: "m", Version: "9.1"}, dkmsstate.Module{Name: "m", Version: "10.0"}, dkmsstate.Module{Name: "m", Version: "10.2"}
	f.Register(old, "")
	f.Register(mid, "")
	f.Register(latest, "")
	f.AddInstalled(mid)
	f.Remove(f.InstalledFile("m.ko"))
	p := Autoinstall(f.Snapshot(), Goal{})
	require.Len(t, p.Tasks, 2)
	assert.Equal(t, Task{Module: mid, Arch: dkmstest.Arch, Steps: []Step{{OpRestore, "m.ko is not in updates/dkms"}}}, p.Tasks[0])
	assert.Equal(t, latest, p.Tasks[1].Module)
}

func TestBuildsFollowTheirNeeds(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "a", Version: "1"}, "BUILD_DEPENDS[0]=b\nBUILD_DEPENDS[1]=c")
	f.Register(dkmsstate.Module{Name: "b", Version: "1"}, "BUILD_DEPENDS=\"c\"")
	f.Register(dkmsstate.Module{Name: "c", Version: "1"}, "")
	f.Register(dkmsstate.Module{Name: "x", Version: "1"}, "BUILD_DEPENDS=y")
	f.Register(dkmsstate.Module{Name: "y", Version: "1"}, "BUILD_DEPENDS=x")
	p := Autoinstall(f.Snapshot(), Goal{})
	var names []string
	for _, task := range p.Tasks {
		names = append(names, task.Module.Name)
	}
	assert.Equal(t, []string{"c", "b", "a"}, names)
	assert.Len(t, p.Broken, 2, "a cycle is reported, not built")
}

func TestOtherKernelsLinksAreNotOurs(t *testing.T) {
	f := dkmstest.New(t)
	m := dkmsstate.Module{Name: "m", Version: "1"}
	f.Register(m, "")
	f.Link("1/6.1.0-test-rt/x86_64", "var/lib/dkms/m/kernel-6.1.0-test-rt-x86_64")
	assert.Empty(t, f.Snapshot().Links)
}

// A build is compressed like the kernel's own modules. That is a repair only where something
// else is wrong as well.
func TestOnlyCompresses(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.AddBuild(one)
	f.AddInstalled(one)
	f.Write("lib/modules/6.1.0-test/kernel/own.ko.xz", "x")
	f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko.xz:\nupdates/dkms/one.ko:\n")
	s := f.Snapshot()
	s.Compression = ".xz"
	p := Autoinstall(s, Goal{})
	require.Len(t, p.Tasks, 1)
	assert.True(t, p.Tasks[0].OnlyCompresses)
	f.Remove(f.InstalledFile("one.ko"))
	s = f.Snapshot()
	s.Compression = ".xz"
	p = Autoinstall(s, Goal{})
	require.Len(t, p.Tasks, 1)
	assert.False(t, p.Tasks[0].OnlyCompresses)
}

func TestUnmetNeeds(t *testing.T) {
	f := dkmstest.New(t)
	f.Register(dkmsstate.Module{Name: "a", Version: "1"}, "BUILD_DEPENDS=elsewhere")
	f.Register(dkmsstate.Module{Name: "b", Version: "1"}, "BUILD_DEPENDS=a")
	f.Register(dkmsstate.Module{Name: "c", Version: "1"}, "BUILD_DEPENDS=manual")
	f.Register(dkmsstate.Module{Name: "manual", Version: "1"}, "AUTOINSTALL=")
	p := Autoinstall(f.Snapshot(), Goal{})
	assert.Empty(t, p.Tasks)
	assert.Equal(t, []Note{
		{Module: "a/1", Text: "it needs elsewhere, which is not registered with dkms", Unmet: true, Waits: true},
		{Module: "b/1", Text: "it needs a, which waits for another module", Unmet: true, Waits: true},
		{Module: "c/1", Text: "it needs manual, which is not available for this kernel", Unmet: true},
	}, p.Broken)
}
