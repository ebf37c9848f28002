package apply

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// rebuilder is a dkms that builds a given module.
type rebuilder struct {
	*scripted
	ko  kmodtest.Module
	err error
	// files are the names of the files that it builds. at, if not nil, is called at the
	// beginning of a build.
	files []string
	at    func()
}

func (e rebuilder) Build(_ context.Context, m dkmsstate.Module, _ dkmsstate.Release, _ string, log io.Writer) error {
	if e.at != nil {
		e.at()
	}
	_, _ = io.WriteString(log, "said by dkms\n")
	for _, name := range e.files {
		dir := "var/lib/dkms/" + m.Name + "/" + m.Version + "/" + string(dkmstest.Kernel) + "/" + dkmstest.Arch + "/module/"
		e.Write(dir+name, string(kmodtest.File(e.ko, "new")))
	}
	return e.err
}

func staleOne(t *testing.T) (*scripted, plan.Task) {
	e := &scripted{Root: dkmstest.New(t)}
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	e.Register(one, "")
	e.KernelOf(1, "y", "#1")
	e.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Signed: true})
	e.KernelOf(2, "y", "#2")
	s, _ := e.Root.Examine(fresh.Examine, dkmsstate.KernelRecord{})
	p := plan.Autoinstall(s, plan.Goal{})
	require.Len(t, p.Tasks, 1)
	return e, p.Tasks[0]
}

// Whatever is wrong with the new build, the old one is as it was, byte for byte.
func TestReplaceLeavesTheOldBuildWhenItFails(t *testing.T) {
	good := kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2), Signed: true}
	for name, c := range map[string]struct {
		ko    kmodtest.Module
		files []string
		err   error
		says  string
	}{
		"does not compile": {good, nil, errors.New("no"), "no"},
		"fails late":       {good, []string{"one.ko"}, errors.New("no"), "no"},
		"builds nothing":   {good, nil, nil, "there is no build"},
		"old symbols":      {kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Signed: true}, []string{"one.ko"}, nil, "symbol module_layout differs"},
		"other vermagic":   {kmodtest.Module{Vermagic: "6.2 UP", Uses: kmodtest.Uses(2), Signed: true}, []string{"one.ko"}, nil, "vermagic"},
		"no module":        {kmodtest.Module{}, []string{"one.ko"}, nil, "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			e, task := staleOne(t)
			before := e.Listing()
			m := Machine{Layout: e.Layout, Engine: rebuilder{scripted: e, ko: c.ko, files: c.files, err: c.err}}
			r := runTask(m, e.Snapshot(), task)
			assert.Equal(t, Failed, r.Outcome)
			assert.ErrorContains(t, r.Err, c.says)
			log, err := os.ReadFile(r.Log)
			require.NoError(t, err)
			assert.Contains(t, string(log), "said by dkms")
			require.NoError(t, record.RemoveLogs(e.Layout, dkmstest.Kernel))
			assert.Equal(t, before, withoutLogs(e.Listing()))
		})
	}
}

// dkms was told not to sign, or could not. It reports success, and the old build no longer fits
// the kernel.
func TestReplaceBySomethingUnsignedIsReported(t *testing.T) {
	e, task := staleOne(t)
	r := runTask(Machine{Layout: e.Layout, Engine: rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2)}, files: []string{"one.ko"}}}, e.Snapshot(), task)
	require.NoError(t, r.Err)
	assert.Equal(t, Done, r.Outcome)
	assert.Equal(t, []string{"it is not signed, but the previous build was"}, r.Notes)
}

func withoutLogs(listing map[string]string) map[string]string {
	for name := range listing {
		if strings.HasPrefix(name, "var/log") {
			delete(listing, name)
		}
	}
	return listing
}

// During the build the installed module is there. Afterwards the new one is, and nothing of the
// old one is left, even if its files had other names.
func TestReplace(t *testing.T) {
	e, task := staleOne(t)
	old, err := os.ReadFile(e.Path(e.InstalledFile("one.ko")))
	require.NoError(t, err)
	during := func() {
		now, err := os.ReadFile(e.Path(e.InstalledFile("one.ko")))
		require.NoError(t, err)
		assert.Equal(t, old, now)
	}
	ko := kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(2), Signed: true}
	m := Machine{Layout: e.Layout, Engine: rebuilder{scripted: e, ko: ko, files: []string{"one.ko", "second.ko"}, at: during}}
	r := runTask(m, e.Snapshot(), task)
	require.NoError(t, r.Err)
	assert.Equal(t, Done, r.Outcome)
	s := e.Snapshot()
	assert.True(t, s.InOrder(task.Module))
	b, _ := s.Build(task.Module, dkmstest.Arch)
	assert.Equal(t, []string{"one", "second"}, b.Names())
	for name := range e.Listing() {
		assert.NotContains(t, name, "/.")
	}

	e.KernelOf(1, "y", "#3")
	m.Engine = rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Signed: true}, files: []string{"second.ko"}}
	require.NoError(t, runTask(m, e.Snapshot(), task).Err)
	assert.NoFileExists(t, e.Path(e.InstalledFile("one.ko")))
	assert.True(t, e.Snapshot().InOrder(task.Module))
}

// A replacement that is interrupted at any point is undone by the next run.
func TestRollBack(t *testing.T) {
	for name, cut := range map[string]func(e *scripted, tree Tree, m dkmsstate.Module){
		"old set aside": func(*scripted, Tree, dkmsstate.Module) {},
		"half built": func(e *scripted, _ Tree, m dkmsstate.Module) {
			e.Write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/log/make.log", "half")
		},
		"built": func(e *scripted, _ Tree, m dkmsstate.Module) {
			e.Write(e.BuildFile(m), string(kmodtest.File(kmodtest.Sample(), "new")))
		},
		"installed": func(e *scripted, tree Tree, m dkmsstate.Module) {
			e.Write(e.BuildFile(m), string(kmodtest.File(kmodtest.Sample(), "new")))
			e.Write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/more.ko", string(kmodtest.File(kmodtest.Sample(), "more")))
			require.NoError(e.T, tree.Restore(m, dkmstest.Arch, true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, task := staleOne(t)
			before := e.Listing()
			tree := Tree{Layout: e.Layout, Kernel: dkmstest.Kernel}
			require.NoError(t, tree.keepPrevious(task.Module))
			cut(e, tree, task.Module)
			n, err := tree.RollBack()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			assert.Equal(t, before, e.Listing())
			n, err = tree.RollBack()
			require.NoError(t, err)
			assert.Zero(t, n, "once is enough")
		})
	}
}

// failingDepmod leaves what depmod leaves on a full disk.
type failingDepmod struct{ *scripted }

func (e failingDepmod) Depmod(context.Context, dkmsstate.Release) error {
	e.Remove("lib/modules/6.1.0-test/modules.dep.bin")
	e.Write("lib/modules/6.1.0-test/modules.dep.bin", "")
	e.Write("lib/modules/6.1.0-test/modules.alias", "half")
	e.Write("lib/modules/6.1.0-test/modules.dep.123.456.1789000000", "half")
	return &dkms.CallError{Program: "depmod", Code: 1, Output: "no space"}
}

func TestDepmodThatFailsChangesNothing(t *testing.T) {
	e, _ := staleOne(t)
	before := e.Listing()
	_, err := Machine{Layout: e.Layout, Engine: failingDepmod{e}}.Finish(context.Background(), e.Pointer(), true)
	assert.ErrorContains(t, err, "the old one stays")
	assert.ErrorContains(t, err, "no space")
	assert.Equal(t, before, e.Listing())
	require.NoError(t, finish(Machine{Layout: e.Layout, Engine: e}.Finish(context.Background(), e.Pointer(), true)))
	assert.Equal(t, before, e.Listing())
}

func TestRoom(t *testing.T) {
	file := t.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.NoError(t, room(t.TempDir(), []string{file}))
	require.NoError(t, os.Truncate(file, 1<<43))
	assert.ErrorContains(t, room(t.TempDir(), []string{file}), "no space left on device")
	assert.Error(t, room(t.TempDir()+"/none", nil))
}
