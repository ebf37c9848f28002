package apply

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
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

// relinking is an Engine during whose calls kernel links change. at, if not nil, is called by each. The
// first install of failing fails while aa is being built.
type relinking struct {
	*scripted
	failing string
	failed  chan struct{}
	at      func(e *scripted, call string, log io.Writer)
}

func (e relinking) Build(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	if m.Name == "aa" && e.failing != "" {
		<-e.failed
	}
	e.changes("build", m, log)
	return e.scripted.Build(ctx, m, kernel, arch, log)
}

func (e relinking) Install(ctx context.Context, m dkmsstate.Module, kernel dkmsstate.Release, arch string, log io.Writer) error {
	e.changes("install", m, log)
	if m.Name == e.failing {
		select {
		case <-e.failed:
		default:
			close(e.failed)
			return &dkms.CallError{Program: "dkms", Args: []string{"install"}, Code: 101}
		}
	}
	return e.scripted.Install(ctx, m, kernel, arch, log)
}

func (e relinking) changes(op string, m dkmsstate.Module, log io.Writer) {
	if e.at != nil {
		e.at(e.scripted, op+" "+m.String(), log)
	}
}

// What a run itself did to a kernel link is nobody else's choice: an attempt that is repeated, or dkms,
// which rebuilds modules unasked. What somebody uninstalls is not replaced by another version.
func TestWhoChangedAKernelLink(t *testing.T) {
	const kernel, build = string(dkmstest.Kernel), "var/lib/dkms/bb/1.0/" + string(dkmstest.Kernel)
	aa, bb, newer := dkmsstate.Module{Name: "aa", Version: "1.0"}, dkmsstate.Module{Name: "bb", Version: "1.0"}, dkmsstate.Module{Name: "bb", Version: "2.0"}
	link := "var/lib/dkms/bb/" + dkmsstate.LinkName(dkmstest.Kernel, dkmstest.Arch)
	for name, c := range map[string]struct {
		before func(e *scripted)
		engine relinking
		// chosen are the tasks that are given up, and installed is the version that is installed.
		chosen    []string
		installed string
	}{
		"an attempt that is repeated": {func(e *scripted) {
			e.Layout.Destination = dkmsstate.Destination{Unknown: true}
			e.Register(bb, "")
			e.Link("1.0/"+kernel+"/"+dkmstest.Arch, link)
		}, relinking{failing: "bb"}, nil, "1.0"},
		"dkms, which failed to rebuild it": {func(e *scripted) {
			const conf = "BUILD_DEPENDS=aa\nBUILD_DEPENDS_REBUILD=yes\n"
			e.Register(bb, conf)
			e.AddInstalled(bb)
			e.Register(newer, conf)
		}, relinking{at: func(e *scripted, call string, _ io.Writer) {
			if call == "install aa/1.0" {
				e.Remove(link)
				e.RemoveAll(build)
			}
		}}, nil, "2.0"},
		"a script of the newer version, which removes the older one": {func(e *scripted) {
			e.Register(bb, "")
			e.AddInstalled(bb)
			e.Register(newer, "")
		}, relinking{at: func(e *scripted, call string, log io.Writer) {
			if call == "build bb/2.0" {
				e.forget(bb, log)
				e.RemoveAll(build)
				e.Remove(link)
			}
		}}, nil, "2.0"},
		"nobody, and a build for another architecture goes": {func(e *scripted) {
			e.Register(bb, "")
			e.Write(build+"/i686/module/bb.ko", "of another")
		}, relinking{}, nil, "1.0"},
		"somebody, while an older version is built": {func(e *scripted) {
			e.Register(bb, "")
			e.Register(newer, "")
			e.Link("1.0/"+kernel+"/"+dkmstest.Arch, link)
		}, relinking{at: func(e *scripted, call string, _ io.Writer) {
			if call == "build bb/1.0" {
				e.Remove(link)
			}
		}}, []string{"bb/1.0", "bb/2.0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := c.engine
			e.scripted, e.failed = &scripted{Root: dkmstest.New(t)}, make(chan struct{})
			e.Register(aa, "")
			e.Write("var/lib/dkms/mok.key", "key")
			e.Write("var/lib/dkms/mok.pub", "certificate")
			c.before(e.scripted)
			before := e.Snapshot()
			before.Arch, before.ArchDetected = dkmstest.Arch, true
			var chosen []string
			for _, r := range (Machine{Layout: e.Layout, Engine: e, Jobs: 2, Removals: new(dkms.Removals)}).Run(t.Context(), before, plan.Autoinstall(before, plan.Goal{}), func(int, plan.Task) {}, func(int, Result) {}) {
				if r.Outcome == Chosen {
					chosen = append(chosen, r.Task.Module.String())
				} else {
					require.NoError(t, r.Err, r.Task.Module)
				}
			}
			assert.Equal(t, c.chosen, chosen)
			assert.Equal(t, c.installed, e.Layout.LinkedVersion("bb", dkmstest.Kernel, dkmstest.Arch))
		})
	}
}
