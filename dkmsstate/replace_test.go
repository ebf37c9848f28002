package dkmsstate

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// rebuilder is a dkms that builds what it is told to.
type rebuilder struct {
	*scripted
	ko  kmodtest.Module
	err error
	// files are the names that it gives the module; at is called when it is asked to.
	files []string
	at    func()
}

func (e rebuilder) Build(_ context.Context, m Module, _ Release, _ string, log io.Writer) error {
	if e.at != nil {
		e.at()
	}
	_, _ = io.WriteString(log, "said by dkms\n")
	for _, name := range e.files {
		dir := "var/lib/dkms/" + m.Name + "/" + m.Version + "/" + string(testKernel) + "/" + testArch + "/module/"
		e.write(dir+name, string(kmodtest.File(e.ko, "new")))
	}
	return e.err
}

func staleOne(t *testing.T) (*scripted, Task) {
	e := &scripted{fabricated: fabricate(t)}
	one := Module{"one", "1.0"}
	e.register(one, "")
	e.kernelOf(1, "y", "#1")
	e.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Signed: true})
	e.kernelOf(2, "y", "#2")
	s, _ := e.examine(KernelRecord{})
	p := PlanAutoinstall(s, Goal{})
	require.Len(t, p.Tasks, 1)
	return e, p.Tasks[0]
}

// Whatever is wrong with the new build, the old one is as it was, byte for byte.
func TestReplaceLeavesTheOldBuildWhenItFails(t *testing.T) {
	good := kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2), Signed: true}
	for name, c := range map[string]struct {
		ko    kmodtest.Module
		files []string
		err   error
		says  string
	}{
		"does not compile": {good, nil, errors.New("no"), "no"},
		"fails late":       {good, []string{"one.ko"}, errors.New("no"), "no"},
		"builds nothing":   {good, nil, nil, "there is no build"},
		"old symbols":      {kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Signed: true}, []string{"one.ko"}, nil, "symbol module_layout differs"},
		"other vermagic":   {kmodtest.Module{Vermagic: "6.2 UP", Uses: kmodtest.Uses(2), Signed: true}, []string{"one.ko"}, nil, "vermagic"},
		"no module":        {kmodtest.Module{}, []string{"one.ko"}, nil, "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			e, task := staleOne(t)
			before := e.listing()
			m := Machine{Layout: e.layout, Engine: rebuilder{scripted: e, ko: c.ko, files: c.files, err: c.err}}
			r := runTask(m, e.snapshot(), task)
			assert.Equal(t, Failed, r.Outcome)
			assert.ErrorContains(t, r.Err, c.says)
			log, err := os.ReadFile(r.Log)
			require.NoError(t, err)
			assert.Contains(t, string(log), "said by dkms")
			require.NoError(t, e.layout.RemoveLogs(testKernel))
			assert.Equal(t, before, withoutLogs(e.listing()))
		})
	}
}

// dkms was told not to sign, or could not: it calls the build good, and the old one fits the
// kernel no more.
func TestReplaceBySomethingUnsignedIsReported(t *testing.T) {
	e, task := staleOne(t)
	r := runTask(Machine{Layout: e.layout, Engine: rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2)}, files: []string{"one.ko"}}}, e.snapshot(), task)
	require.NoError(t, r.Err)
	assert.Equal(t, Done, r.Outcome)
	assert.Equal(t, []string{"it is not signed, and the build before it was"}, r.Notes)
}

func withoutLogs(listing map[string]string) map[string]string {
	for name := range listing {
		if strings.HasPrefix(name, "var/log") {
			delete(listing, name)
		}
	}
	return listing
}

// While it builds the installed module is there; afterwards the new one is, with
// nothing of the old one left, even where its files had other names.
func TestReplace(t *testing.T) {
	e, task := staleOne(t)
	old, err := os.ReadFile(e.path(e.installedFile("one.ko")))
	require.NoError(t, err)
	during := func() {
		now, err := os.ReadFile(e.path(e.installedFile("one.ko")))
		require.NoError(t, err)
		assert.Equal(t, old, now)
	}
	ko := kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2), Signed: true}
	m := Machine{Layout: e.layout, Engine: rebuilder{scripted: e, ko: ko, files: []string{"one.ko", "second.ko"}, at: during}}
	r := runTask(m, e.snapshot(), task)
	require.NoError(t, r.Err)
	assert.Equal(t, Done, r.Outcome)
	s := e.snapshot()
	assert.True(t, s.InOrder(task.Module))
	b, _ := s.Build(task.Module, testArch)
	assert.Equal(t, []string{"one", "second"}, b.Names())
	for name := range e.listing() {
		assert.NotContains(t, name, "/.")
	}

	e.kernelOf(1, "y", "#3")
	m.Engine = rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Signed: true}, files: []string{"second.ko"}}
	require.NoError(t, runTask(m, e.snapshot(), task).Err)
	assert.NoFileExists(t, e.path(e.installedFile("one.ko")))
	assert.True(t, e.snapshot().InOrder(task.Module))
}

// A run that is cut off at any point of a replacement is undone by the next.
func TestRollBack(t *testing.T) {
	for name, cut := range map[string]func(e *scripted, tree Tree, m Module){
		"old set aside": func(*scripted, Tree, Module) {},
		"half built": func(e *scripted, _ Tree, m Module) {
			e.write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/log/make.log", "half")
		},
		"built": func(e *scripted, _ Tree, m Module) {
			e.write(e.buildFile(m), string(kmodtest.File(kmodtest.Sample(), "new")))
		},
		"installed": func(e *scripted, tree Tree, m Module) {
			e.write(e.buildFile(m), string(kmodtest.File(kmodtest.Sample(), "new")))
			e.write("var/lib/dkms/one/1.0/6.1.0-test/x86_64/module/more.ko", string(kmodtest.File(kmodtest.Sample(), "more")))
			require.NoError(e.t, tree.Restore(m, testArch, true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, task := staleOne(t)
			before := e.listing()
			tree := Tree{Layout: e.layout, Kernel: testKernel}
			require.NoError(t, tree.keepPrevious(task.Module))
			cut(e, tree, task.Module)
			n, err := tree.RollBack()
			require.NoError(t, err)
			assert.Equal(t, 1, n)
			assert.Equal(t, before, e.listing())
			n, err = tree.RollBack()
			require.NoError(t, err)
			assert.Zero(t, n, "once is enough")
		})
	}
}

// failingDepmod leaves what depmod leaves on a full disk.
type failingDepmod struct{ *scripted }

func (e failingDepmod) Depmod(context.Context, Release) error {
	e.remove("lib/modules/6.1.0-test/modules.dep.bin")
	e.write("lib/modules/6.1.0-test/modules.dep.bin", "")
	e.write("lib/modules/6.1.0-test/modules.alias", "half")
	e.write("lib/modules/6.1.0-test/modules.dep.123.456.1789000000", "half")
	return &CallError{Program: "depmod", Code: 1, Output: "no space"}
}

func TestDepmodThatFailsChangesNothing(t *testing.T) {
	e, _ := staleOne(t)
	before := e.listing()
	_, err := Machine{Layout: e.layout, Engine: failingDepmod{e}}.Finish(context.Background(), e.pointer(), true)
	assert.ErrorContains(t, err, "the old one stays")
	assert.ErrorContains(t, err, "no space")
	assert.Equal(t, before, e.listing())
	require.NoError(t, finish(Machine{Layout: e.layout, Engine: e}.Finish(context.Background(), e.pointer(), true)))
	assert.Equal(t, before, e.listing())
}

func TestRoom(t *testing.T) {
	file := t.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.NoError(t, room(t.TempDir(), []string{file}))
	require.NoError(t, os.Truncate(file, 1<<43))
	assert.ErrorContains(t, room(t.TempDir(), []string{file}), "no space left on device")
	assert.Error(t, room(t.TempDir()+"/none", nil))
}
