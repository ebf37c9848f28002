package apply

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
)

// What somebody installs or uninstalls with dkms during a run stays so.
func TestWhatSomebodyChoosesStays(t *testing.T) {
	one, two := dkmsstate.Module{Name: "one", Version: "1.0"}, dkmsstate.Module{Name: "one", Version: "2.0"}
	link := "var/lib/dkms/one/" + dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch)
	// uninstall does what dkms uninstall does, and unbuild what dkms unbuild does.
	uninstall := func(e *scripted) {
		e.Remove(link)
		require.NoError(e.T, os.RemoveAll(e.Path(e.InstalledFile("one.ko"))))
	}
	unbuild := func(e *scripted) {
		uninstall(e)
		e.RemoveAll("var/lib/dkms/one/1.0/" + string(dkmstest.Kernel))
	}
	stale := func(e *scripted) {
		e.KernelOf(1, "y", "#1")
		e.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
		e.KernelOf(2, "y", "#2")
	}
	noFile := func(e *scripted) { e.AddInstalled(one); e.Remove(e.InstalledFile("one.ko")) }
	for name, c := range map[string]struct {
		before, meanwhile func(e *scripted)
		// early reports whether meanwhile is before the task begins, and not while it builds.
		early bool
		want  error
		// installed is the version that is installed afterwards.
		installed string
	}{
		"another version while one is rebuilt":         {stale, func(e *scripted) { e.AddInstalled(two) }, false, errOtherVersion, "2.0"},
		"an older version while the newest is built":   {func(e *scripted) { e.Register(two, "") }, func(e *scripted) { e.AddInstalled(one) }, false, errOtherVersion, "1.0"},
		"the same version while it is built":           {func(*scripted) {}, func(e *scripted) { e.AddInstalled(one) }, false, nil, "1.0"},
		"nothing":                                      {stale, func(*scripted) {}, false, nil, "1.0"},
		"nothing, and its link leads nowhere":          {func(e *scripted) { e.Link("9/gone", link) }, func(*scripted) {}, false, nil, "1.0"},
		"nothing, and it is restored":                  {noFile, func(*scripted) {}, true, nil, "1.0"},
		"uninstalled before it is restored":            {noFile, uninstall, true, errUninstalled, "."},
		"unbuilt before it is restored":                {noFile, unbuild, true, errUninstalled, "."},
		"unbuilt before it is rebuilt":                 {stale, unbuild, true, errUninstalled, "."},
		"another version before it is rebuilt":         {stale, func(e *scripted) { e.AddInstalled(two) }, true, errOtherVersion, "2.0"},
		"another version installed before it is built": {func(e *scripted) { e.Register(two, "") }, func(e *scripted) { e.AddInstalled(one) }, true, errOtherVersion, "1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &scripted{Root: dkmstest.New(t)}
			e.Register(one, "")
			c.before(e)
			s, _ := e.Root.Examine(fresh.Examine, dkmsstate.KernelRecord{})
			tasks := plan.Autoinstall(s, plan.Goal{}).Tasks
			require.Len(t, tasks, 1)
			engine := rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2)}, files: []string{"one.ko"}}
			if c.early {
				c.meanwhile(e)
			} else {
				engine.at = func() { c.meanwhile(e) }
			}
			r := runTask(Machine{Layout: e.Layout, Engine: engine}, s, tasks[0])
			require.ErrorIs(t, r.Err, c.want)
			assert.Equal(t, map[bool]Outcome{true: Done, false: Chosen}[c.want == nil], r.Outcome)
			target, _ := os.Readlink(e.Path(link))
			assert.Equal(t, c.installed, filepath.Dir(filepath.Dir(target)))
			if c.installed == "2.0" {
				file, err := os.ReadFile(e.Path(e.InstalledFile("one.ko")))
				require.NoError(t, err)
				assert.Equal(t, dkmstest.BuiltOf(two), string(file))
			}
			for name := range e.Listing() {
				assert.NotContains(t, name, "/.", "nothing is left set aside")
			}
		})
	}
}
