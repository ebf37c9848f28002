package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// Machine carries out plans: the Engine compiles, the Tree does the rest.
type Machine struct {
	Layout dkmsstate.Layout
	Engine dkms.Engine
	// Backup is Tree.Backup of its removals.
	Backup bool
	// Jobs is how many modules are built at a time, 0 for one for each processor, as far
	// as memory allows.
	Jobs int
	// Took, when it is set, returns how long a module took to build before, 0 for unknown.
	Took func(m dkmsstate.Module) time.Duration
}

// Outcome is how a task ended.
type Outcome string

// A task is done, was not meant for the kernel, or failed; or it failed beside others and
// is done again after them.
const (
	Done    Outcome = "done"
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
	Again   Outcome = "again"
)

// Result is what came of a task.
type Result struct {
	Task    plan.Task
	Outcome Outcome
	// Err says why a task failed or was skipped.
	Err error
	// Cause is the kind of the failure, Need the module that it was not begun for want of.
	Cause dkmsstate.Cause
	Need  string
	// Took is how long dkms took to build the module.
	Took time.Duration
	// Notes are what is unusual about a module that was installed.
	Notes []string
	// Log is the file that tells more, "" without one; NoLog says why there is none.
	Log   string
	NoLog error
	// Unsigned says why a module that was built is not signed, "" when it is, or when
	// nothing asks for it.
	Unsigned string
}

// Run carries out a plan that was made from a snapshot, and reports each task as it
// begins and ends, one report at a time. Modules that do not need each other are
// built side by side; one that fails never stops the next. Only an end of the context
// stops the run; what was not begun is then reported as failed.
func (m Machine) Run(ctx context.Context, before dkmsstate.Snapshot, p plan.Plan, begin func(i int, t plan.Task), end func(i int, r Result)) []Result {
	sc := m.newSchedule(before, p)
	x := fresh.NewExamination(ctx, &before)
	type ending struct {
		i int
		r Result
	}
	endings := make(chan ending)
	installing := new(sync.Mutex)
	results := make([]Result, len(p.Tasks))
	for sc.left > 0 {
		for i, ok := sc.next(); ok; i, ok = sc.next() {
			sc.begin(i)
			if r, known := sc.foregone(ctx, i, results[i]); known {
				go func() { endings <- ending{i, r} }()
				continue
			}
			begin(i, p.Tasks[i])
			task := &taskRun{machine: m, tree: Tree{Layout: m.Layout, Kernel: p.Kernel, Backup: m.Backup}, task: p.Tasks[i],
				before: before, x: x, log: record.NewLog(m.Layout, p.Tasks[i].Module, p.Kernel), installing: installing}
			go func() { endings <- ending{i, task.run(ctx)} }()
		}
		e := <-endings
		results[e.i] = e.r
		if ctx.Err() == nil && e.r.Outcome == Failed && e.r.Need == "" && sc.postpone(e.i, e.r.Cause) {
			e.r.Outcome = Again
		} else {
			sc.end(e.i, e.r.Outcome == Done)
		}
		end(e.i, e.r)
	}
	return results
}

// foregone returns how a task ends without being done: the run is at its end, a need of it
// is not met, or nothing has changed since it failed.
func (sc *schedule) foregone(ctx context.Context, i int, before Result) (Result, bool) {
	need, err := sc.missing(i), ctx.Err()
	if need != "" {
		err = fmt.Errorf("it needs %s, which is not installed", need)
	}
	if err != nil {
		return Result{Task: sc.tasks[i].Task, Outcome: Failed, Err: err, Need: need}, true
	}
	return before, before.Outcome == Failed && !sc.builtSince(i)
}

// taskRun is one task at work.
type taskRun struct {
	machine Machine
	tree    Tree
	task    plan.Task
	// before is what the plan was made from, x what builds are verified by.
	before dkmsstate.Snapshot
	x      fresh.Examination
	log    *record.KeptLog
	// installing is held while dkms installs: the scripts of modules expect to be alone.
	installing *sync.Mutex
	// notes are those of the result; compressed and built report what was done.
	notes             []string
	compressed, built bool
	// took is how long the build took.
	took time.Duration
}

// note notes what is unusual about the module.
func (r *taskRun) note(text string) { r.notes = append(r.notes, text) }

func (r *taskRun) run(ctx context.Context) Result {
	res := Result{Task: r.task, Outcome: Done}
	var err error
	for _, step := range r.task.Steps {
		if err = r.step(ctx, step); err != nil {
			break
		}
	}
	res.Notes, res.Log, res.NoLog, res.Took = r.notes, r.log.Close(), r.log.Err, r.took
	if err == nil {
		res.Unsigned = r.unsigned(ctx, res.Log)
		return res
	}
	if reason := dkms.NotMeant(err); reason != "" {
		res.Outcome, res.Err = Skipped, errors.New(reason)
		return res
	}
	res.Outcome, res.Err, res.Cause = Failed, dkms.ExplainByLog(err, res.Log), causeOf(err, res.Log)
	return res
}

func (r *taskRun) step(ctx context.Context, step plan.Step) error {
	t, tree := r.task, r.tree
	switch step.Op {
	case plan.OpClear:
		return tree.Clear(t.Module, t.Arch)
	case plan.OpBuild:
		return r.build(ctx)
	case plan.OpReplace:
		return r.replace(ctx)
	case plan.OpInstall:
		return r.install(ctx)
	case plan.OpRestore:
		return r.restore()
	case plan.OpCompress:
		return r.compress(ctx)
	case plan.OpRemoveLeftovers:
		return tree.RemoveScratch(t.Module)
	case plan.OpRemoveOtherArch:
		return tree.RemoveArch(t.Module, t.Arch)
	case plan.OpUnlink:
		return tree.RemoveLink(t.Module.Name, t.Arch)
	case plan.OpDKMSUnbuild:
		if tree.Backup {
			if err := tree.linkBackup(t.Module); err != nil {
				return err
			}
		}
		// OpRemoveBuild follows and finishes what dkms leaves, so that a module
		// whose dkms.conf fails does not stay behind.
		_ = r.machine.Engine.Unbuild(ctx, t.Module, tree.Kernel, t.Arch)
		return nil
	case plan.OpRemoveBuild:
		return tree.Unbuild(t.Module)
	}
	return fmt.Errorf("cannot do %q", step.Op)
}

// restore repairs what is installed of a module. A build that was compressed takes the
// place of its plain copy.
func (r *taskRun) restore() error {
	if r.compressed {
		return r.tree.install(r.task.Module, r.task.Arch, dkmsstate.Build{}, nil)
	}
	b, _ := r.before.Build(r.task.Module, r.task.Arch)
	return r.tree.Restore(r.task.Module, r.task.Arch, r.built || b.Fresh.Verdict == dkmsstate.Fresh)
}
