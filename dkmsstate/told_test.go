package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTold(t *testing.T) {
	bad := map[string]string{"bad/1": "does not compile"}
	told := Told{}.With("6.1", KernelTrouble{Run: "run 1", Inputs: "a", Texts: bad})
	assert.Equal(t, bad, told.In("run 1", "6.1", "a"))
	assert.Nil(t, told.In("run 2", "6.1", "a"), "another run")
	assert.Nil(t, told.In("run 1", "6.1", "b"), "other inputs")
	assert.Nil(t, told.In("run 1", "6.2", "a"), "another kernel")
	assert.Equal(t, bad, told.Ever("6.1", "a"))
	assert.Nil(t, told.Ever("6.1", "b"), "other inputs")
	assert.Nil(t, told.Ever("6.2", ""), "another kernel")
	assert.Nil(t, Told{}.With("6.1", KernelTrouble{Inputs: "a", Texts: bad}).In("", "6.1", "a"), "no run of dpkg")

	more := told.With("6.2", KernelTrouble{Run: "run 2", Inputs: "a", Texts: bad})
	assert.Equal(t, bad, more.In("run 1", "6.1", "a"))
	assert.Equal(t, bad, more.In("run 2", "6.2", "a"))
	assert.Nil(t, more.Without("6.2").Ever("6.2", "a"))
	assert.Equal(t, told, more.Without("6.2"))
}

func TestToldIsKept(t *testing.T) {
	l := Layout{Root: t.TempDir()}
	assert.Empty(t, l.ReadTold().Kernels)
	told := Told{}.With("6.1", KernelTrouble{Run: "run", Inputs: "a", Texts: map[string]string{"bad/1": "\"quoted\"\n"}})
	require.Error(t, l.WriteTold(told), "without the directory that the lock makes")
	require.NoError(t, os.MkdirAll(l.Path(lockDir), 0o755))
	require.NoError(t, l.WriteTold(told))
	assert.Equal(t, told, l.ReadTold())
	entries, err := os.ReadDir(l.Path(lockDir))
	require.NoError(t, err)
	assert.Len(t, entries, 1, "no temporary file stays")

	newer := `{"version":2,"kernels":{"6.1":{}}}`
	for _, other := range []string{newer, `{"version":1,`, ``, `[]`, "\x00"} {
		require.NoError(t, os.WriteFile(l.toldFile(), []byte(other), 0o644))
		assert.Empty(t, l.ReadTold().Kernels, other)
	}
	require.NoError(t, os.WriteFile(l.toldFile(), []byte(newer), 0o644))
	require.NoError(t, l.WriteTold(told))
	data, err := os.ReadFile(l.toldFile())
	require.NoError(t, err)
	assert.Equal(t, newer, string(data), "a newer program's file is left alone")
}

func TestWriteToldFollowsNoLink(t *testing.T) {
	l := Layout{Root: t.TempDir()}
	require.NoError(t, os.MkdirAll(l.Path(lockDir), 0o755))
	victim := filepath.Join(l.Root, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("untouched"), 0o644))
	require.NoError(t, os.Symlink(victim, l.toldFile()+".new"))
	require.NoError(t, os.Symlink(victim, l.toldFile()))
	require.NoError(t, l.WriteTold(Told{}.With("6.1", KernelTrouble{})))
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	assert.Equal(t, "untouched", string(data))
}

func TestPlanWithoutWhatWasTold(t *testing.T) {
	build := []Step{{OpBuild, "not built"}, {OpInstall, "not installed"}}
	p := Plan{
		Tasks: []Task{
			{Module: Module{"bad", "1"}, Steps: build},
			{Module: Module{"good", "1"}, Steps: build},
			{Module: Module{"gone", "1"}, Steps: []Step{{OpRestore, "not in updates/dkms"}}},
		},
		Broken: []Note{{Module: "dangling/1", Text: "its source is gone"}, {Module: "noconf/1", Text: "no dkms.conf"}},
	}
	told := map[string]string{"bad/1": "error", "gone/1": "error", "dangling/1": "its source is gone", "noconf/1": "another"}
	got, dropped := p.Without(told)
	assert.Equal(t, 2, dropped)
	assert.Equal(t, []Task{p.Tasks[1], p.Tasks[2]}, got.Tasks, "what compiles nothing is done all the same")
	assert.Equal(t, []Note{{Module: "noconf/1", Text: "no dkms.conf"}}, got.Broken)
	assert.Len(t, p.Tasks, 3, "the plan itself is not changed")

	same, dropped := p.Without(nil)
	assert.Equal(t, p, same)
	assert.Zero(t, dropped)
}

func TestInputsChangeWithWhatABuildStartsFrom(t *testing.T) {
	root := t.TempDir()
	write := func(name string, when int64) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(when, 0)))
	}
	layout, _ := ReadLayout(root)
	s := Snapshot{Layout: layout, Kernel: "6.1"}
	seen := map[string]string{s.Inputs(): "nothing"}
	changes := []struct {
		name   string
		change func()
	}{
		{"headers", func() { write("lib/modules/6.1/build/Module.symvers", 1) }},
		{"other headers", func() { write("lib/modules/6.1/build/Module.symvers", 2) }},
		{"a module", func() { s.Registrations = []Registration{{Module: Module{"m", "1"}, Source: "/usr/src/m-1"}} }},
		{"its dkms.conf", func() { write("var/lib/dkms/m/1/source/dkms.conf", 1) }},
		{"another dkms.conf", func() { write("var/lib/dkms/m/1/source/dkms.conf", 2) }},
	}
	for _, c := range changes {
		c.change()
		assert.NotContains(t, seen, s.Inputs(), c.name)
		assert.Equal(t, s.Inputs(), s.Inputs())
		seen[s.Inputs()] = c.name
	}
}
