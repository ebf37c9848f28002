package hooks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// Success and failure are printed at once. What to do about a failure is printed last, with the
// log and the next command.
func TestReportKeepsTroublesForTheEnd(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1"})
	task := func(name string, steps ...plan.Step) plan.Task {
		return plan.Task{Module: dkmsstate.Module{Name: name, Version: "1.0"}, Steps: steps}
	}
	build := []plan.Step{{Op: plan.OpBuild, Reason: "not built"}, {Op: plan.OpInstall, Reason: "not installed"}}
	bad, skipped, good := task("bad", build...), task("skipped", build...), task("good", build...)
	gone := task("gone", plan.Step{Op: plan.OpRestore, Reason: "m.ko was gone"})

	r.decision(Postinst, Decision{Verdict: Autoinstall, Reason: "called by the postinst of p (configure)", Hint: "a hint"})
	r.begin(bad, 1, 4)
	r.end(apply.Result{Task: bad, Outcome: apply.Failed, Err: errors.New("it does not compile"), Log: "/make.log"}, time.Minute)
	r.begin(skipped, 2, 4)
	r.end(apply.Result{Task: skipped, Outcome: apply.Skipped, Err: errors.New("not meant for it")}, time.Second)
	r.begin(good, 3, 4)
	r.end(apply.Result{Task: good, Outcome: apply.Done, Unsigned: "no key"}, 90*time.Second)
	r.begin(gone, 4, 4)
	r.end(apply.Result{Task: gone, Outcome: apply.Done}, time.Millisecond)
	r.flush()
	r.close()

	assert.Equal(t, `dkms-hooks: postinst 6.1: autoinstall: called by the postinst of p (configure)
dkms-hooks: a hint
dkms-hooks: building bad/1.0 (1 of 4)
dkms-hooks: failed: bad/1.0 for 6.1: it does not compile
dkms-hooks: building skipped/1.0 (2 of 4)
dkms-hooks: skipped: skipped/1.0 for 6.1: not meant for it
dkms-hooks: building good/1.0 (3 of 4)
dkms-hooks: good/1.0: installed (90 s)
dkms-hooks: gone/1.0: restored (m.ko was gone)
dkms-hooks:   log: dkms-hooks log 6.1 bad
dkms-hooks:   next: fix this, then run: dkms-hooks run postinst 6.1
dkms-hooks: not signed: good/1.0 for 6.1: no key
dkms-hooks:   next: fix this, unbuild them with dkms(8), then run: dkms-hooks run postinst 6.1
`, out.String())
}

// A failure of a program with a log of its own names that log.
func TestReportNamesTheLogOfAnError(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1"})
	r.runFailed(errors.Join(loggedError{errors.New("not updated"), "initramfs"}, nil), "x")
	r.runFailed(errors.New("something else"), "y")
	assert.Equal(t, `dkms-hooks: failed: not updated
dkms-hooks:   log: dkms-hooks log 6.1 initramfs
dkms-hooks:   next: fix this, then run: x
dkms-hooks: failed: something else
dkms-hooks:   next: fix this, then run: y
`, out.String())
}

// Under dpkg a report has one line when builds begin, one when they have ended, and what is
// unusual.
func TestReportIsBriefUnderDpkg(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1", Script: Script{Name: "postinst"}})
	var tasks []plan.Task
	for _, name := range []string{"a", "b", "c", "bad"} {
		tasks = append(tasks, plan.Task{Module: dkmsstate.Module{Name: name, Version: "1.0"},
			Steps: []plan.Step{{Op: plan.OpBuild, Reason: "not built"}, {Op: plan.OpInstall, Reason: "not installed"}}})
	}
	r.decision(Postinst, Decision{Verdict: Autoinstall, Reason: "called by the postinst of p (configure)"})
	stale := plan.Task{Module: dkmsstate.Module{Name: "old", Version: "1.0"}, Steps: []plan.Step{{Op: plan.OpReplace, Reason: "stale, symbol a differs"}}}
	r.announce(plan.Plan{Tasks: append(tasks, stale)})
	for i, task := range tasks {
		r.begin(task, i+1, len(tasks))
		res := apply.Result{Task: task, Outcome: apply.Done}
		if task.Module.Name == "bad" {
			res = apply.Result{Task: task, Outcome: apply.Failed, Log: "/make.log", Err: errors.New("bad.c:1:1: error: " + strings.Repeat("long ", 50))}
		}
		r.end(res, time.Minute)
	}
	restored := plan.Task{Module: dkmsstate.Module{Name: "d", Version: "1.0"}, Steps: []plan.Step{{Op: plan.OpRestore, Reason: "d.ko is not in updates/dkms"}}}
	r.end(apply.Result{Task: restored, Outcome: apply.Done}, 0)
	r.flush()
	r.close()
	assert.Equal(t, `dkms-hooks: 6.1: building 4 modules
dkms-hooks: 6.1: rebuilding old/1.0: stale, symbol a differs
dkms-hooks: failed: bad/1.0 for 6.1: bad.c:1:1: error: long long long long long long long long long long long long lon …
dkms-hooks: 6.1: d/1.0: restored (d.ko is not in updates/dkms)
dkms-hooks: 6.1: installed a/1.0, b/1.0, c/1.0
dkms-hooks:   log: dkms-hooks log 6.1 bad
dkms-hooks:   next: fix this, then run: dkms-hooks run postinst 6.1
`, out.String())

	out.Reset()
	r.decision(Prerm, Decision{Verdict: Keep, Reason: "p is not being removed (upgrade 2)"})
	assert.Empty(t, out.String())
	r.decision(Prerm, Decision{Verdict: Keep, Reason: "dpkg has no such package", Hint: "to unbuild anyway: x"})
	assert.Equal(t, "dkms-hooks: prerm 6.1: keep: dpkg has no such package\ndkms-hooks: 6.1: to unbuild anyway: x\n", out.String())
}

// The outcome of a module does not depend on what was printed about it.
func TestOutcomes(t *testing.T) {
	o := outcomes{}
	task := func(name string, last plan.Op) plan.Task {
		return plan.Task{Module: dkmsstate.Module{Name: name, Version: "1.0"}, Steps: []plan.Step{{Op: last, Reason: "m.ko was gone"}}}
	}
	o.addPlan(plan.Plan{NeedHeaders: []dkmsstate.Module{{Name: "waits", Version: "1.0"}, {Name: "old", Version: "1.0"}}, Broken: []plan.Note{{Module: "old/1.0", Text: "it stays", Left: true}}})
	o.addNotes(plan.Plan{Broken: []plan.Note{{Module: "old/1.0", Text: "it stays", Left: true}, {Module: "none/1.0", Text: "taken", Skipped: true}, {Module: "broken/1.0", Text: "no\nsource"}}})
	for _, res := range []apply.Result{
		{Task: task("bad", plan.OpInstall), Outcome: apply.Failed, Err: errors.New("it does not compile"), Cause: dkmsstate.CauseCompiler, Log: "/make.log"},
		{Task: task("cut", plan.OpInstall), Outcome: apply.Failed, Err: context.Canceled},
		{Task: task("skipped", plan.OpInstall), Outcome: apply.Skipped, Err: errors.New("not meant for it")},
		{Task: task("good", plan.OpInstall), Outcome: apply.Done, Took: time.Minute},
		{Task: task("gone", plan.OpRestore), Outcome: apply.Done},
		{Task: task("taken", plan.OpRemoveBuild), Outcome: apply.Done},
		{Task: task("again", plan.OpInstall), Outcome: apply.Again},
	} {
		o.addResult(res)
	}
	texts := map[string]string{}
	for module, last := range o {
		texts[module] = string(last.Result) + ": " + last.Text
	}
	assert.Equal(t, map[string]string{
		"waits/1.0": "waiting: " + waitsForHeaders, "old/1.0": "left: it stays", "none/1.0": "skipped: taken", "broken/1.0": "failed: no; source",
		"bad/1.0": "failed: it does not compile", "skipped/1.0": "skipped: not meant for it", "good/1.0": "installed: installed", "gone/1.0": "installed: restored (m.ko was gone)",
	}, texts)
	assert.Equal(t, "/make.log", o["bad/1.0"].Log)
	assert.Equal(t, dkmsstate.CauseCompiler, o["bad/1.0"].Cause)
	assert.Equal(t, time.Minute, o["good/1.0"].Took)
}

// No text breaks a line or controls the terminal.
func TestReportKeepsLinesWhole(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1"})
	r.trouble(dkmsstate.LastFailed, "m/1", "one\ntwo\x1b[2J\r", true)
	r.flush()
	assert.Equal(t, "dkms-hooks: failed: m/1 for 6.1: one; two?[2J?\n", out.String())
	o := outcomes{}
	o.set("m/1", dkmsstate.LastFailed, "one\ntwo\x1b[2J\r", "")
	assert.Equal(t, "one; two?[2J?", o["m/1"].Text)
}

// A module that seemed to be installed and is not is not called installed.
func TestReportTakesBackWhatDidNotHold(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1", Script: Script{Name: "postinst"}})
	task := plan.Task{Module: dkmsstate.Module{Name: "m", Version: "1.0"}, Steps: []plan.Step{{Op: plan.OpInstall}}}
	r.end(apply.Result{Task: task, Outcome: apply.Done, Unsigned: "no key", Notes: []string{"it may not load"}}, 0)
	r.end(apply.Result{Task: task, Outcome: apply.Failed, Err: errors.New("it is not installed")}, 0)
	r.flush()
	assert.Equal(t, "dkms-hooks: failed: m/1.0 for 6.1: it is not installed\ndkms-hooks:   next: fix this, then run: dkms-hooks run postinst 6.1\n", out.String())
}

// What fails a removal is in no log and no record, so that it is printed whole.
func TestRemovalsThatFailArePrintedWhole(t *testing.T) {
	var out strings.Builder
	r := newReport(&out, Invocation{Kernel: "6.1", Script: Script{Name: "prerm"}})
	task := plan.Task{Module: dkmsstate.Module{Name: "m", Version: "1.0"}, Steps: []plan.Step{{Op: plan.OpRemoveBuild}}}
	r.end(apply.Result{Task: task, Outcome: apply.Failed, Err: errors.New(strings.Repeat("a long path ", 20) + "read-only file system")}, 0)
	assert.Contains(t, out.String(), "read-only file system\n")
}

// Many modules hide no reason.
func TestWaitingModulesAreCounted(t *testing.T) {
	p := plan.Plan{Kernel: "6.12.43+deb13-amd64"}
	for _, name := range []string{"nvidia-current", "virtualbox", "v4l2loopback"} {
		p.NeedHeaders = append(p.NeedHeaders, dkmsstate.Module{Name: name, Version: "535.247.01-and-more"})
	}
	lines, _ := planNotes(Invocation{}, p)
	assert.Equal(t, []string{"not built: 3 modules for 6.12.43+deb13-amd64: its headers are not installed"}, lines)
}
