package dkmsstate

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Machine carries out plans: the Engine compiles, the Tree does the rest.
type Machine struct {
	Layout Layout
	Engine Engine
	// Spare is Tree.Spare of its removals.
	Spare bool
	// Jobs is how many modules are built at a time, 0 for DefaultJobs.
	Jobs int
}

// Outcome is how a task ended.
type Outcome string

// A task is done, was not meant for the kernel, or failed.
const (
	Done    Outcome = "done"
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
)

// Result is what came of a task.
type Result struct {
	Task    Task
	Outcome Outcome
	// Err says why a task failed or was skipped.
	Err error
	// Cause is the kind of the failure.
	Cause Cause
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
func (m Machine) Run(ctx context.Context, before Snapshot, p Plan, begin func(i int, t Task), end func(i int, r Result)) []Result {
	jobs := m.Jobs
	if jobs == 0 {
		jobs = DefaultJobs()
	}
	sc := newSchedule(before, p, jobs)
	x := before.examine(ctx)
	type ending struct {
		i int
		r Result
	}
	endings := make(chan ending)
	installing := new(sync.Mutex)
	results := make([]Result, len(p.Tasks))
	for range p.Tasks {
		for i, ok := sc.next(); ok; i, ok = sc.next() {
			task := p.Tasks[i]
			r := &taskRun{machine: m, tree: Tree{Layout: m.Layout, Kernel: p.Kernel, Spare: m.Spare}, task: task,
				before: before, x: x, jobs: sc.begin(i), log: m.Layout.newLog(task.Module, p.Kernel), installing: installing}
			err := ctx.Err()
			if need := sc.missing(i); need != "" {
				err = fmt.Errorf("it needs %s, which is not installed", need)
			}
			if err == nil {
				begin(i, task)
			}
			go func() {
				if err != nil {
					endings <- ending{i, Result{Task: task, Outcome: Failed, Err: err}}
					return
				}
				endings <- ending{i, r.run(ctx)}
			}()
		}
		e := <-endings
		results[e.i] = e.r
		sc.end(e.i, e.r.Outcome == Done)
		end(e.i, e.r)
	}
	return results
}

// taskRun is one task at work.
type taskRun struct {
	machine Machine
	tree    Tree
	task    Task
	// before is what the plan was made from, x what builds are verified by.
	before Snapshot
	x      examination
	// jobs is the number of jobs for make.
	jobs int
	log  *keptLog
	// installing is held while dkms installs: the scripts of modules expect to be alone.
	installing *sync.Mutex
	// notes are those of the result; compressed and built report what was done.
	notes             []string
	compressed, built bool
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
	res.Notes, res.Log, res.NoLog = r.notes, r.log.close(), r.log.err
	if err == nil {
		res.Unsigned = r.unsigned(ctx, res.Log)
		return res
	}
	if reason := notMeant(err); reason != "" {
		res.Outcome, res.Err = Skipped, errors.New(reason)
		return res
	}
	res.Outcome, res.Err, res.Cause = Failed, explain(err, res.Log), causeOf(err, res.Log)
	return res
}

func (r *taskRun) step(ctx context.Context, step Step) error {
	t, tree := r.task, r.tree
	switch step.Op {
	case OpClear:
		return tree.Clear(t.Module, t.Arch)
	case OpBuild:
		return r.build(ctx)
	case OpReplace:
		return r.replace(ctx)
	case OpInstall:
		return r.install(ctx)
	case OpRestore:
		return r.restore()
	case OpCompress:
		return r.compress(ctx)
	case OpTidy:
		return tree.RemoveScratch(t.Module)
	case OpDisown:
		return tree.RemoveArch(t.Module, t.Arch)
	case OpUnlink:
		return tree.RemoveLink(t.Module.Name, t.Arch)
	case OpUninstall:
		if tree.Spare {
			if err := tree.linkSpare(t.Module); err != nil {
				return err
			}
		}
		// OpUnbuild follows and finishes what dkms leaves, so that a module
		// whose dkms.conf fails does not stay behind.
		_ = r.machine.Engine.Unbuild(ctx, t.Module, tree.Kernel, t.Arch)
		return nil
	case OpUnbuild:
		return tree.Unbuild(t.Module)
	}
	return fmt.Errorf("cannot do %q", step.Op)
}

// restore repairs what is installed of a module. A build that was compressed takes the
// place of its plain copy.
func (r *taskRun) restore() error {
	if r.compressed {
		return r.tree.install(r.task.Module, r.task.Arch, Build{}, nil)
	}
	b, _ := r.before.Build(r.task.Module, r.task.Arch)
	return r.tree.Restore(r.task.Module, r.task.Arch, r.built || b.Fresh.Verdict == Fresh)
}
