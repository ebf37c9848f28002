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

// What needs a module whose build is left out is not built either: dkms 3.0 would build it without that
// one. A module that is not meant for the kernel, or of which an older build stays installed, lacks to
// nobody.
func TestWithoutWhatOthersNeed(t *testing.T) {
	lacks := LacksText("a")
	for name, row := range map[string]struct {
		// installed reports whether a/1 is installed, and a/2 registered.
		installed bool
		last      map[string]dkmsstate.Last
		retries   bool
		tasks     []string
		notes     map[string]string
		dropped   []string
	}{
		"nothing is known":       {tasks: []string{"a", "b", "c"}},
		"it fails again":         {last: failed("a/1"), notes: map[string]string{"b/1": lacks, "c/1": LacksText("b")}, dropped: []string{"a/1"}},
		"so does what needs it":  {last: failed("a/1", "b/1", lacks), retries: true, notes: map[string]string{"c/1": LacksText("b")}, dropped: []string{"a/1", "b/1"}},
		"it may have passed":     {last: map[string]dkmsstate.Last{"a/1": {Result: dkmsstate.LastFailed}}, retries: true, tasks: []string{"a", "b", "c"}},
		"it is not meant for it": {last: map[string]dkmsstate.Last{"a/1": {Result: dkmsstate.LastSkipped}}, tasks: []string{"b", "c"}, dropped: []string{"a/1"}},
		"it is there again":      {last: map[string]dkmsstate.Last{"b/1": {Result: dkmsstate.LastFailed, Text: lacks}}, tasks: []string{"a", "b", "c"}},
		"it is available now":    {last: map[string]dkmsstate.Last{"b/1": {Result: dkmsstate.LastFailed, Text: "it needs a, which is not available for this kernel"}}, tasks: []string{"a", "b", "c"}},
		"another one lacked":     {last: map[string]dkmsstate.Last{"b/1": {Result: dkmsstate.LastFailed, Text: LacksText("z")}}, tasks: []string{"a"}, notes: map[string]string{"c/1": LacksText("b")}, dropped: []string{"b/1"}},
		"another version stays":  {installed: true, last: failed("a/2"), tasks: []string{"b", "c"}, dropped: []string{"a/2"}},
		"dkms refused for want of it": {last: map[string]dkmsstate.Last{"a/1": {Result: dkmsstate.LastSkipped}, "b/1": {Result: dkmsstate.LastFailed, Text: UnavailableText("a")}},
			retries: true, notes: map[string]string{"c/1": LacksText("b")}, dropped: []string{"a/1", "b/1"}},
		"only what needs it failed": {last: failed("b/1"), tasks: []string{"a"}, notes: map[string]string{"c/1": LacksText("b")}, dropped: []string{"b/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(dkmsstate.Module{Name: "a", Version: "1"}, "")
			f.Register(dkmsstate.Module{Name: "b", Version: "1"}, "BUILD_DEPENDS=a")
			f.Register(dkmsstate.Module{Name: "c", Version: "1"}, "BUILD_DEPENDS=b")
			if row.installed {
				f.AddInstalled(dkmsstate.Module{Name: "a", Version: "1"})
				f.Register(dkmsstate.Module{Name: "a", Version: "2"}, "")
			}
			told := map[string]string{}
			for module, last := range row.last {
				told[module] = last.Text
			}
			p, dropped := Autoinstall(f.Snapshot(), Goal{}).Without(told, row.last, row.retries)
			var tasks []string
			for _, task := range p.Tasks {
				tasks = append(tasks, task.Module.Name)
			}
			notes := map[string]string{}
			for _, n := range p.Broken {
				notes[n.Module] = n.Text
			}
			assert.Equal(t, row.tasks, tasks)
			assert.Equal(t, len(row.notes), len(notes))
			for module, text := range row.notes {
				assert.Equal(t, text, notes[module])
			}
			assert.Equal(t, row.dropped, dropped)
		})
	}
}

// failed returns attempts that the compiler ended, by MODULE/VERSION. Others are followed by a text
// and may have passed.
func failed(modules ...string) map[string]dkmsstate.Last {
	last := map[string]dkmsstate.Last{modules[0]: {Result: dkmsstate.LastFailed, Cause: dkmsstate.CauseCompiler}}
	for i := 1; i+1 < len(modules); i += 2 {
		last[modules[i]] = dkmsstate.Last{Result: dkmsstate.LastFailed, Text: modules[i+1]}
	}
	return last
}
