package apply

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

// A stale build is rebuilt if the headers are installed, and stays until then.
func TestPlanForAStaleBuild(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.KernelOf(1, "y", "#1")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
	f.ImageOf(2, "y", "#2")
	s, rec := f.Examine(fresh.Examine, dkmsstate.KernelRecord{})
	p := plan.Autoinstall(s, plan.Goal{})
	assert.Empty(t, p.Tasks, "not with the headers of another build")
	assert.Equal(t, []dkmsstate.Module{one}, p.NeedHeaders)
	assert.NotEmpty(t, p.Mismatch)
	require.Len(t, p.Broken, 1)
	assert.True(t, p.Broken[0].Left)
	assert.Contains(t, p.Broken[0].Text, "stale, ")

	f.HeadersOf(2, "y", "#2")
	s, _ = f.Examine(fresh.Examine, rec)
	p = plan.Autoinstall(s, plan.Goal{})
	require.Len(t, p.Tasks, 1)
	assert.Equal(t, []plan.Step{{Op: plan.OpReplace, Reason: "stale, symbol module_layout differs"}}, p.Tasks[0].Steps)
	assert.Empty(t, p.NeedHeaders)
	assert.True(t, p.Tasks[0].Builds() && p.Tasks[0].Installs())
}

// A stale build that was never installed is rebuilt and installed like any other.
func TestPlanForAStaleBuildThatIsNotInstalled(t *testing.T) {
	e, task := staleOne(t)
	e.Remove("var/lib/dkms/one/" + dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch))
	e.Remove(e.InstalledFile("one.ko"))
	s, _ := e.Root.Examine(fresh.Examine, dkmsstate.KernelRecord{})
	p := plan.Autoinstall(s, plan.Goal{})
	require.Len(t, p.Tasks, 1)
	assert.Equal(t, []plan.Step{{Op: plan.OpReplace, Reason: "stale, symbol module_layout differs"}, {Op: plan.OpInstall, Reason: "not installed"}}, p.Tasks[0].Steps)
	m := Machine{Layout: e.Layout, Engine: rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2), Signed: true}, files: []string{"one.ko"}}}
	require.NoError(t, runTask(m, s, p.Tasks[0]).Err)
	assert.True(t, e.Snapshot().InOrder(task.Module))
}
