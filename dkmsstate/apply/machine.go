package apply

import (
	"cmp"
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

// Machine carries out plans: the Engine runs dkms, a Tree does the rest.
type Machine struct {
	Layout dkmsstate.Layout
	Engine dkms.Engine
	// Backup is Tree.Backup for its removals.
	Backup bool
	// Jobs is how many modules are built at a time. 0 means one for each processor, as far as
	// memory allows.
	Jobs int
	// Removals are the registrations that calls of the Engine removed.
	Removals *dkms.Removals
	// Took, if not nil, returns how long a module took to build before, 0 for unknown.
	Took func(m dkmsstate.Module) time.Duration
}

// Outcome is how a task ended.
type Outcome string

// Done means that the task was carried out, Skipped that the module is not meant for the
// kernel, and Failed that the task failed. Again means that it failed while others were
// running, and is repeated after them. Removed means that somebody else removed the module with
// dkms during the run, and Chosen that somebody uninstalled it or installed another version, which
// is not undone.
const (
	Done    Outcome = "done"
	Skipped Outcome = "skipped"
	Failed  Outcome = "failed"
	Again   Outcome = "again"
	Removed Outcome = "removed"
	Chosen  Outcome = "chosen"
)

// Result is the result of a task.
type Result struct {
	Task    plan.Task
	Outcome Outcome
	// Err is why a task failed or was skipped.
	Err error
	// Cause is the kind of Err. Need is the missing module because of which the task was not
	// begun.
	Cause dkmsstate.Cause
	Need  string
	// Took is how long dkms took to build the module.
	Took time.Duration
	// Linked reports whether the kernel link named the module when the task had ended.
	Linked bool
	// Notes are messages about what is unusual about an installed module.
	Notes []string
	// Log is the file with the details, "" without one. NoLog is why there is none.
	Log   string
	NoLog error
	// Unsigned is why a built module is not signed, "" if it is or if nothing requires it to
	// be.
	Unsigned string
}

// Run carries out a plan that was made from a snapshot. It calls begin and end for each task,
// one call at a time. Modules that do not need each other are built side by side. A module that
// fails never stops the others. Only the end of the context stops the run. The tasks that were
// not begun are then reported as failed.
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
	last := map[string]*taskRun{} // by the kernel link
	for sc.left > 0 {
		for i, ok := sc.next(); ok; i, ok = sc.next() {
			sc.begin(i)
			if r, known := sc.foregone(ctx, i, results[i]); known {
				go func() { endings <- ending{i, r} }()
				continue
			}
			begin(i, p.Tasks[i])
			task := &taskRun{machine: m, tree: Tree{Layout: m.Layout, Kernel: p.Kernel, Backup: m.Backup}, task: p.Tasks[i],
				before: before, x: x, log: record.NewLog(m.Layout, p.Tasks[i].Module, p.Kernel, m.Removals.Output()), installing: installing}
			link := p.Tasks[i].Module.Name + "/" + dkmsstate.LinkName(p.Kernel, p.Tasks[i].Arch)
			task.link = task.linkBefore(last[link])
			last[link] = task
			go func() { endings <- ending{i, task.run(ctx)} }()
		}
		e := <-endings
		results[e.i] = e.r
		if ctx.Err() == nil && e.r.Outcome == Failed && e.r.Need == "" && sc.postpone(e.i, e.r.Cause) {
			e.r.Outcome = Again
		} else {
			outcome := e.r.Outcome
			if errors.Is(e.r.Err, errOtherVersion) { // which serves what needs the module
				outcome = Skipped
			}
			sc.end(e.i, outcome)
		}
		end(e.i, e.r)
	}
	return results
}

// foregone returns the result of a task that is not carried out, because the context has ended,
// a need of it is not met, or nothing has changed since it failed. It reports false for any
// other task.
func (sc *schedule) foregone(ctx context.Context, i int, before Result) (Result, bool) {
	need, err := sc.tasks[i].Lacks(sc.failed), ctx.Err()
	if need != "" {
		err = errors.New(plan.LacksText(need))
	}
	if err != nil {
		return Result{Task: sc.tasks[i].Task, Outcome: Failed, Err: err, Need: need}, true
	}
	return before, before.Outcome == Failed && !sc.builtSince(i)
}

// taskRun is a task that is being carried out.
type taskRun struct {
	machine Machine
	tree    Tree
	task    plan.Task
	// before is the snapshot from which the plan was made. x verifies builds.
	before dkmsstate.Snapshot
	x      fresh.Examination
	// link is the version that the kernel link names unless somebody else has changed it.
	link string
	log  *record.KeptLog
	// installing is held while dkms installs: the scripts of modules expect to be alone.
	installing *sync.Mutex
	// notes are the Notes of the result. compressed and built report what was done.
	notes             []string
	compressed, built bool
	// took is how long the build took.
	took time.Duration
}

// note adds a message about what is unusual about the module.
func (r *taskRun) note(text string) { r.notes = append(r.notes, text) }

func (r *taskRun) run(ctx context.Context) Result {
	res := Result{Task: r.task, Outcome: Done}
	var err error
	for _, step := range r.task.Steps {
		if err = cmp.Or(r.unregistered(), r.chosen()); err != nil {
			break
		}
		if err = r.step(ctx, step); err != nil {
			break
		}
	}
	if !isChosen(err) {
		r.link = r.linkNow()
	}
	res.Notes, res.Log, res.NoLog, res.Took = r.notes, r.log.Close(), r.log.Err, r.took
	if err == nil {
		res.Unsigned, res.Linked = r.unsigned(ctx, res.Log), r.linked()
		return res
	}
	if gone := r.unregistered(); gone != nil {
		res.Outcome, res.Err = Removed, gone
		return res
	}
	if isChosen(err) {
		res.Outcome, res.Err = Chosen, err
		return res
	}
	if reason, cause := dkms.NotMeant(err); reason != "" {
		res.Outcome, res.Err, res.Cause = Skipped, errors.New(reason), cause
		return res
	}
	if res.Need = dkms.Lacks(err); res.Need != "" {
		err = errors.New(plan.UnavailableText(res.Need))
	}
	res.Outcome, res.Err, res.Cause = Failed, dkms.ExplainByLog(err, res.Log), causeOf(err, res.Log)
	return res
}

func (r *taskRun) step(ctx context.Context, step plan.Step) error {
	t, tree := r.task, r.tree
	switch step.Op {
	case plan.OpClear:
		return tree.clearBuild(t.Module, t.Arch)
	case plan.OpBuild:
		return r.build(ctx)
	case plan.OpReplace:
		return r.replace(ctx)
	case plan.OpInstall:
		return r.install(ctx)
	case plan.OpRestore:
		return r.restore(ctx)
	case plan.OpCompress:
		return r.compress(ctx)
	case plan.OpRemoveLeftovers:
		return tree.removeScratch(t.Module)
	case plan.OpRemoveOtherArch:
		return tree.removeArch(t.Module, t.Arch)
	case plan.OpUnlink:
		r.link = ""
		return tree.removeLink(t.Module.Name, t.Arch)
	case plan.OpDKMSUnbuild:
		if err := tree.discardOriginals(t.Module.Name); err != nil {
			return err
		}
		if tree.Backup {
			if err := tree.linkBackup(t.Module); err != nil {
				return err
			}
		}
		// OpRemoveBuild follows and removes what dkms leaves, so that a module whose dkms.conf
		// fails does not stay behind. The log of the last build stays: an aborted removal
		// brings that build back.
		_ = r.machine.Engine.Unbuild(ctx, t.Module, tree.Kernel, t.Arch, r.machine.Removals.Output())
		return nil
	case plan.OpRemoveBuild:
		return tree.Unbuild(t.Module)
	}
	return fmt.Errorf("unknown step %q", step.Op)
}

// restore repairs the installed files of a module. If its build was just compressed, the
// compressed files replace the installed ones.
func (r *taskRun) restore(ctx context.Context) error {
	if !r.tree.build(r.task.Module, r.task.Arch).Placed() {
		return errors.Join(r.tree.removeLink(r.task.Module.Name, r.task.Arch), r.install(ctx))
	}
	if r.compressed {
		return r.tree.install(r.task.Module, r.task.Arch, dkmsstate.Build{}, nil)
	}
	b, _ := r.before.Build(r.task.Module, r.task.Arch)
	return r.tree.Restore(r.task.Module, r.task.Arch, r.built || b.Fresh.Verdict == dkmsstate.Fresh)
}
