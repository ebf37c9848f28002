package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/plan"
)

func TestToldOfTroubles(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	k := dkmsstate.KernelRecord{Run: "run 1", Last: map[string]dkmsstate.Last{
		"bad/1":  {Result: dkmsstate.LastFailed, Text: "does not compile", When: when, Log: "/log", Inputs: "a", Packages: "p"},
		"good/1": {Result: dkmsstate.LastInstalled, When: when},
		"late/1": {Result: dkmsstate.LastWaiting, Text: "no headers", When: when, Inputs: "a"},
		"odd/1":  {Result: dkmsstate.LastSkipped, Text: "not meant for it", When: when, Inputs: "a"},
	}}
	is := func(text string) func() string { return func() string { return text } }
	now := func(inputs, packages string) dkmsstate.Present {
		return dkmsstate.Present{Recurs: func(_ string, last dkmsstate.Last) bool { return last.Inputs == inputs }, Packages: is(packages), Compiler: is("cc"), Retries: true}
	}
	told := map[string]string{"bad/1": "does not compile", "odd/1": "not meant for it"}
	assert.Equal(t, told, k.Reported("run 1", now("a", "p")))
	assert.Empty(t, k.Reported("run 2", now("a", "p")), "another run")
	assert.Empty(t, k.Reported("run 1", now("b", "p")), "other inputs")
	assert.Equal(t, told, k.EverReported(now("a", "p")))
	assert.Empty(t, k.EverReported(now("b", "p")), "other inputs")
	assert.Equal(t, map[string]string{"odd/1": "not meant for it"}, k.EverReported(now("a", "q")), "a package has come")
	old := now("a", "q")
	old.Retries = false
	assert.Equal(t, told, k.EverReported(old), "on a kernel that is not started")
	assert.True(t, k.Retries(is("q"), is("cc")))
	for _, cause := range []dkmsstate.Cause{dkmsstate.CauseCompiler, dkmsstate.CauseTimeout} {
		bad := k.Last["bad/1"]
		bad.Cause, bad.Compiler = cause, "cc"
		k.Last["bad/1"] = bad
		assert.Equal(t, told, k.EverReported(now("a", "q")), "%s: no package helps", cause)
		assert.False(t, k.Retries(is("q"), is("cc")))
		assert.Equal(t, cause == dkmsstate.CauseCompiler, k.Retries(is("p"), is("another cc")))
	}
	k.Run = ""
	assert.Empty(t, k.Reported("", now("a", "p")), "no run of dpkg")
	assert.True(t, k.Waits(dkmsstate.Module{Name: "late", Version: "1"}, ""))
	assert.True(t, k.Waits(dkmsstate.Module{Name: "bad", Version: "1"}, ""))
	assert.False(t, k.Waits(dkmsstate.Module{Name: "good", Version: "1"}, ""))
	assert.False(t, k.Waits(dkmsstate.Module{Name: "odd", Version: "1"}, ""))
	assert.False(t, k.Waits(dkmsstate.Module{Name: "never", Version: "1"}, ""))
	assert.False(t, k.Waits(dkmsstate.Module{Name: "late", Version: "1"}, "0.9"), "an older version was installed since")
}

func TestRecordByKernel(t *testing.T) {
	one, two := dkmsstate.KernelRecord{Run: "one"}, dkmsstate.KernelRecord{Run: "two"}
	r := dkmsstate.Record{}.With("6.1", one)
	more := r.With("6.2", two)
	assert.Equal(t, one, more.Kernel("6.1"))
	assert.Equal(t, two, more.Kernel("6.2"))
	assert.Equal(t, r, more.Without("6.2"))
	assert.Zero(t, r.Kernel("6.2"), "the first is not changed")
}

func TestRecordIsKept(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	assert.Empty(t, read(t, l).Kernels)
	record := dkmsstate.Record{}.With("6.1", dkmsstate.KernelRecord{Run: "run", RemovedBy: "a", Unpacked: "u", Stamps: "s", Mismatch: "m",
		Last:   map[string]dkmsstate.Last{"bad/1": {Result: dkmsstate.LastFailed, Text: "\"quoted\"\n", When: time.Unix(1, 0).UTC(), Log: "/log"}},
		Builds: map[string]dkmsstate.BuildRecord{"bad/1 x86_64": {Stamp: "a", Sum: "b", Installed: "x", Kernel: "c", From: "e"}}, Origins: map[string]dkmsstate.Origin{"e": {Symvers: "d"}}})
	require.NoError(t, Write(l, record))
	assert.Equal(t, record, read(t, l))
	temps, err := filepath.Glob(filepath.Join(l.Path(dkmsstate.StateDir), nofollow.TempName("*")))
	require.NoError(t, err)
	assert.Empty(t, temps, "no temporary file stays")

	newer := `{"version":3,"kernels":{"6.1":{}}}`
	for other, why := range map[string]string{
		newer:           "its version 3 is of a newer dkms-hooks (this one supports up to 2); it is left unchanged",
		`{"version":2,`: "it is not a record",
		`{"version":0}`: "its version 0 is not supported by this dkms-hooks",
		`{"version":1}`: "its version 1 is not supported by this dkms-hooks",
		``:              "it is not a record",
		`[]`:            "it is not a record",
		"\x00":          "it is not a record",
		`{"version":2,"kernels":{"6.1":{"builds":{"m/1 x86_64":{"stamp":7}}}}}`: "it is not a record",
	} {
		require.NoError(t, os.WriteFile(recordFile(l), []byte(other), 0o644))
		r, err := Read(l)
		assert.Empty(t, r, other)
		assert.ErrorContains(t, err, why, other)
		assert.ErrorContains(t, err, "cannot use /var/lib/dkms-hooks/record.json, so an empty record is used", other)
	}
	require.NoError(t, os.WriteFile(recordFile(l), []byte(newer), 0o644))
	require.NoError(t, Write(l, record))
	data, err := os.ReadFile(recordFile(l))
	require.NoError(t, err)
	assert.Equal(t, newer, string(data), "a newer program's file is left alone")
}

func read(t *testing.T, l dkmsstate.Layout) dkmsstate.Record {
	t.Helper()
	r, err := Read(l)
	require.NoError(t, err)
	return r
}

func TestWriteRecordFollowsNoLink(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	require.NoError(t, os.MkdirAll(l.Path(dkmsstate.StateDir), 0o755))
	victim := filepath.Join(l.Root, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("untouched"), 0o644))
	require.NoError(t, os.Symlink(victim, filepath.Join(l.Path(dkmsstate.StateDir), nofollow.TempName("record.json"))))
	require.NoError(t, os.Symlink(victim, recordFile(l)))
	require.NoError(t, Write(l, dkmsstate.Record{}.With("6.1", dkmsstate.KernelRecord{})))
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	assert.Equal(t, "untouched", string(data))
}

func TestPending(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	assert.Empty(t, l.AllUnfinished())
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Interrupted, false))
	require.NoError(t, NoteUnfinished(l, "6.2", dkmsstate.Deferred, true))
	assert.True(t, l.Unfinished("6.1").InFull())
	assert.False(t, l.Unfinished("6.2").InFull())
	assert.False(t, l.Unfinished("6.3").InFull())
	assert.Equal(t, dkmsstate.Interrupted, l.Unfinished("6.1").Why)
	assert.Equal(t, dkmsstate.Deferred, l.Unfinished("6.2").Why)
	assert.Equal(t, dkmsstate.Unfinished(""), l.Unfinished("6.3").Why)
	assert.Equal(t, []dkmsstate.Release{"6.1", "6.2"}, l.AllUnfinished())
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Deferred, false))
	assert.Equal(t, dkmsstate.Interrupted, l.Unfinished("6.1").Why, "what was begun stays so")
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Interrupted, true))
	assert.True(t, l.Unfinished("6.1").InFull(), "what was to be brought in still is")
	require.NoError(t, NoteUnfinished(l, "6.2", dkmsstate.Deferred, false))
	assert.True(t, l.Unfinished("6.2").InFull())
	require.NoError(t, NoteDone(l, "6.1"))
	require.NoError(t, NoteDone(l, "6.1"), "twice is no error")
	assert.Equal(t, []dkmsstate.Release{"6.2"}, l.AllUnfinished())
}

func TestNotice(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	require.NoError(t, WriteNotice(l, ""))
	assert.NoFileExists(t, noticeFile(l))
	require.NoError(t, WriteNotice(l, "one\n"))
	text, err := os.ReadFile(noticeFile(l))
	require.NoError(t, err)
	assert.Equal(t, "one\n", string(text))
	require.NoError(t, WriteNotice(l, ""))
	assert.NoFileExists(t, noticeFile(l))
}

func TestPlanWithoutWhatWasTold(t *testing.T) {
	build := []plan.Step{{Op: plan.OpBuild, Reason: "not built"}, {Op: plan.OpInstall, Reason: "not installed"}}
	p := plan.Plan{
		Tasks: []plan.Task{
			{Module: dkmsstate.Module{Name: "bad", Version: "1"}, Steps: build},
			{Module: dkmsstate.Module{Name: "good", Version: "1"}, Steps: build},
			{Module: dkmsstate.Module{Name: "gone", Version: "1"}, Steps: []plan.Step{{Op: plan.OpRestore, Reason: "not in updates/dkms"}}},
		},
		Broken: []plan.Note{{Module: "dangling/1", Text: "its source is gone"}, {Module: "noconf/1", Text: "no dkms.conf"}},
	}
	told := map[string]string{"bad/1": "error", "gone/1": "error", "dangling/1": "its source is gone", "noconf/1": "another"}
	got, dropped := p.Without(told, nil, false)
	assert.Len(t, dropped, 2)
	assert.Equal(t, []plan.Task{p.Tasks[1], p.Tasks[2]}, got.Tasks, "what compiles nothing is done all the same")
	assert.Equal(t, []plan.Note{{Module: "noconf/1", Text: "no dkms.conf"}}, got.Broken)
	assert.Len(t, p.Tasks, 3, "the plan itself is not changed")

	same, dropped := p.Without(nil, nil, false)
	assert.Equal(t, p, same)
	assert.Empty(t, dropped)
}

func TestInputsChangeWithWhatABuildStartsFrom(t *testing.T) {
	root := t.TempDir()
	write := func(name string, when int64) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(when, 0)))
	}
	layout, _ := dkmsstate.ReadLayout(root)
	s := dkmsstate.Snapshot{Layout: layout, Kernel: "6.1"}
	inputs := func() string { return s.Inputs("m/1") }
	seen := map[string]string{inputs(): "nothing"}
	changes := []struct {
		name   string
		change func()
	}{
		{"headers", func() { write("lib/modules/6.1/build/Module.symvers", 1) }},
		{"other headers", func() { write("lib/modules/6.1/build/Module.symvers", 2) }},
		{"a module", func() {
			s.Registrations = []dkmsstate.Registration{{Module: dkmsstate.Module{Name: "m", Version: "1"}, Source: "/usr/src/m-1"}}
		}},
		{"its dkms.conf", func() { write("var/lib/dkms/m/1/source/dkms.conf", 1) }},
		{"another dkms.conf", func() { write("var/lib/dkms/m/1/source/dkms.conf", 2) }},
		{"a file of its source", func() { write("var/lib/dkms/m/1/source/sub/m.c", 1) }},
		{"an override", func() { write("etc/dkms/m.conf", 1) }},
		{"a module that it needs", func() {
			s.Registrations = append([]dkmsstate.Registration{{Module: dkmsstate.Module{Name: "a", Version: "1"}}}, s.Registrations...)
			s.Registrations[1].Conf.Depends = []string{"a"}
		}},
	}
	for _, c := range changes {
		c.change()
		assert.NotContains(t, seen, inputs(), c.name)
		assert.Equal(t, inputs(), inputs())
		seen[inputs()] = c.name
	}
	before := inputs()
	s.Registrations = append(s.Registrations, dkmsstate.Registration{Module: dkmsstate.Module{Name: "z", Version: "1"}})
	assert.Equal(t, before, inputs(), "a module that has nothing to do with it")
}

func TestInitramfsOwed(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	_, owed := l.InitramfsNoted("6.1")
	assert.False(t, owed)
	require.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{"b", "a"}))
	first, _ := l.InitramfsNoted("6.1")
	assert.Equal(t, []string{"a", "b"}, first.Names)
	assert.Empty(t, l.Unfinished("6.1").Why, "the modules are in order")
	assert.Equal(t, []dkmsstate.Release{"6.1"}, l.AllUnfinished())
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Interrupted, false))
	assert.Equal(t, dkmsstate.Interrupted, l.Unfinished("6.1").Why)
	assert.Equal(t, []dkmsstate.Release{"6.1"}, l.AllUnfinished())
	require.NoError(t, NoteDone(l, "6.1"))
	assert.Empty(t, l.Unfinished("6.1").Why, "the modules are in order")
	require.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{"c", "a"}))
	require.NoError(t, NoteOwedDone(l, dkmsstate.InitramfsDir, "6.1", first))
	second, owed := l.InitramfsNoted("6.1")
	assert.True(t, owed, "another run changed modules while the initramfs was made")
	assert.Equal(t, []string{"a", "b", "c"}, second.Names)
	require.NoError(t, NoteOwedDone(l, dkmsstate.InitramfsDir, "6.1", second))
	assert.Empty(t, l.AllUnfinished())
	require.NoError(t, NoteOwedDone(l, dkmsstate.InitramfsDir, "6.1", second))
}

// What is owed in one directory is not owed in another, and nobody's initramfs pays for a command.
func TestTransactionOwed(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	require.NoError(t, NoteOwed(l, dkmsstate.TransactionDir, "6.1", nil))
	note, owed := l.TransactionNoted("6.1")
	assert.True(t, owed)
	_, initramfs := l.InitramfsNoted("6.1")
	assert.False(t, initramfs)
	assert.Equal(t, []dkmsstate.Release{"6.1"}, l.AllUnfinished())
	require.NoError(t, NoteOwed(l, dkmsstate.TransactionDir, "6.1", nil))
	require.NoError(t, NoteOwedDone(l, dkmsstate.TransactionDir, "6.1", note))
	note, owed = l.TransactionNoted("6.1")
	assert.True(t, owed, "another run installed modules while the command ran")
	require.NoError(t, NoteOwedDone(l, dkmsstate.TransactionDir, "6.1", note))
	assert.Empty(t, l.AllUnfinished())
}

// The run that updates an initramfs takes the note over while others add to it. No name is lost.
func TestInitramfsOwedToSeveral(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	var names []string
	var runs sync.WaitGroup
	for i := range 8 {
		name := fmt.Sprintf("m%d", i)
		names = append(names, name)
		runs.Add(1)
		go func() {
			defer runs.Done()
			assert.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{name}))
			note, err := TakeOver(l, dkmsstate.InitramfsDir, "6.1")
			assert.NoError(t, err)
			assert.Contains(t, note.Names, name)
			assert.NoError(t, NoteOwedFailed(l, dkmsstate.InitramfsDir, "6.1", note, errors.New("no space")))
		}()
	}
	runs.Wait()
	note, _ := l.InitramfsNoted("6.1")
	assert.Equal(t, names, note.Names)
	assert.Equal(t, "no space", note.Reason)
	require.NoError(t, NoteOwedDone(l, dkmsstate.InitramfsDir, "6.1", note))
	assert.Empty(t, l.AllUnfinished())
}

// A failed update of an initramfs is owed until the hooks or somebody else have made it.
func TestInitramfsThatFailed(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	image := l.InitramfsPath("6.1")
	require.NoError(t, os.MkdirAll(filepath.Dir(image), 0o755))
	made := func(at time.Time) {
		require.NoError(t, os.WriteFile(image, nil, 0o644))
		require.NoError(t, os.Chtimes(image, at, at))
	}
	require.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{"a"}))
	made(time.Now().Add(time.Hour))
	note, owed := l.InitramfsNoted("6.1")
	assert.True(t, owed, "nothing has looked at it since the modules changed")
	require.NoError(t, NoteOwedFailed(l, dkmsstate.InitramfsDir, "6.1", note, errors.New("no\nspace")))
	_, owed = l.InitramfsNoted("6.1")
	assert.False(t, owed, "somebody made it since")
	assert.Empty(t, l.AllUnfinished())
	made(time.Now().Add(-time.Hour))
	note, owed = l.InitramfsNoted("6.1")
	assert.True(t, owed)
	assert.Equal(t, "no space", note.Reason)
	assert.Equal(t, []string{"a"}, note.Names)
	require.NoError(t, NoteOwedFailed(l, dkmsstate.InitramfsDir, "6.1", note, errors.New("another")))
	note, _ = l.InitramfsNoted("6.1")
	assert.Equal(t, "another", note.Reason, "the last reason counts")
	require.NoError(t, NoteOwed(l, dkmsstate.InitramfsDir, "6.1", []string{"b"}))
	require.NoError(t, NoteOwedFailed(l, dkmsstate.InitramfsDir, "6.1", note, errors.New("stale")))
	note, _ = l.InitramfsNoted("6.1")
	assert.Empty(t, note.Reason, "other modules have changed since")
	assert.Equal(t, []string{"a", "b"}, note.Names)
}

// The note of a run that has begun names the run, so that anybody can tell whether it is active.
func TestActiveRun(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Interrupted, true))
	note := l.Unfinished("6.1")
	assert.Equal(t, dkmsstate.ProcessMark(os.Getpid()), note.By)
	assert.False(t, note.Active(), "it is this process")
	note.By = dkmsstate.ProcessMark(os.Getppid())
	assert.True(t, note.Active())
	note.By = dkmsstate.ProcessMark(os.Getppid()) + "1"
	assert.False(t, note.Active(), "another process has the number now")
	require.NoError(t, NoteFailed(l, "6.1", errors.New("no\nspace"), true))
	note = l.Unfinished("6.1")
	assert.Equal(t, dkmsstate.UnfinishedNote{Why: dkmsstate.Failed, Keeping: true, Reason: "no space"}, note)
	assert.True(t, note.Begun())
	require.NoError(t, NoteUnfinished(l, "6.1", dkmsstate.Deferred, false))
	assert.Equal(t, dkmsstate.Failed, l.Unfinished("6.1").Why, "what was begun stays so")
}
