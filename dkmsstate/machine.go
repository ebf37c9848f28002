package dkmsstate

import (
	"context"
	"errors"
	"fmt"
)

// Machine carries out plans: the Engine compiles, the Tree does the rest.
type Machine struct {
	Layout Layout
	Engine Engine
	// Spare is Tree.Spare of its removals.
	Spare bool
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
	// Log is the file that tells more, "" without one; NoLog says why there is none.
	Log   string
	NoLog error
}

// Run carries out a plan, one task after the other, and reports each as it
// begins and ends. One that fails never stops the next. Only an end of the
// context stops the run; what was not begun is then reported as failed.
func (m Machine) Run(ctx context.Context, p Plan, begin func(i int, t Task), end func(Result)) []Result {
	failed := map[string]bool{}
	var results []Result
	for i, t := range p.Tasks {
		r := Result{Task: t, Outcome: Done}
		if need := firstIn(failed, t.Needs); need != "" {
			r.Outcome, r.Err = Failed, fmt.Errorf("it needs %s, which is not installed", need)
		} else if err := ctx.Err(); err != nil {
			r.Outcome, r.Err = Failed, err
		} else {
			begin(i, t)
			r = m.runTask(ctx, p.Kernel, t)
		}
		if r.Outcome != Done {
			failed[t.Module.Name] = true
		}
		results = append(results, r)
		end(r)
	}
	return results
}

func firstIn(set map[string]bool, names []string) string {
	for _, name := range names {
		if set[name] {
			return name
		}
	}
	return ""
}

func (m Machine) runTask(ctx context.Context, kernel Release, t Task) Result {
	r := Result{Task: t, Outcome: Done}
	log := m.Layout.newLog(t.Module, kernel)
	var err error
	for _, step := range t.Steps {
		if err = m.step(ctx, kernel, t, step, log); err != nil {
			break
		}
	}
	r.Log, r.NoLog = log.close(), log.err
	if err == nil {
		return r
	}
	if reason := notMeant(err); reason != "" {
		r.Outcome, r.Err = Skipped, errors.New(reason)
		return r
	}
	r.Outcome, r.Err = Failed, explain(err, r.Log)
	return r
}

func (m Machine) step(ctx context.Context, kernel Release, t Task, step Step, log *keptLog) error {
	tree := Tree{Layout: m.Layout, Kernel: kernel, Spare: m.Spare}
	switch step.Op {
	case OpClear:
		return tree.Clear(t.Module, t.Arch)
	case OpBuild:
		return m.build(ctx, kernel, t, false, log)
	case OpReplace:
		return m.replace(ctx, kernel, t, log)
	case OpInstall:
		return m.install(ctx, tree, t, log)
	case OpRestore:
		return tree.Restore(t.Module, t.Arch)
	case OpCompress:
		return m.compress(ctx, tree, t)
	case OpTidy:
		return tree.RemoveScratch(t.Module)
	case OpDisown:
		return tree.RemoveArch(t.Module, t.Arch)
	case OpUnlink:
		return tree.RemoveLink(t.Module.Name, t.Arch)
	case OpUninstall:
		if m.Spare {
			if err := tree.linkSpare(t.Module); err != nil {
				return err
			}
		}
		// OpUnbuild follows and finishes what dkms leaves, so that a module
		// whose dkms.conf fails does not stay behind.
		_ = m.Engine.Unbuild(ctx, t.Module, kernel, t.Arch)
		return nil
	case OpUnbuild:
		return tree.Unbuild(t.Module)
	}
	return fmt.Errorf("cannot do %q", step.Op)
}

// Finish makes modules.dep fit what is installed: it runs depmod when the run
// changed something, or when the snapshot taken after it says so, and checks
// that it helped.
func (m Machine) Finish(ctx context.Context, after Snapshot, changed bool) error {
	tree := Tree{Layout: m.Layout, Kernel: after.Kernel}
	switch {
	case !after.There:
		return tree.RemovePending()
	case !changed && after.depmodReason() == "":
		return nil
	}
	if err := m.depmod(ctx, after.Kernel); err != nil {
		return fmt.Errorf("cannot make modules.dep of %s anew, the old one stays: %w", after.Kernel, err)
	}
	if !after.Busy {
		if err := tree.RemovePending(); err != nil {
			return err
		}
		after.Owed = false
	}
	after.Dep = readModulesDep(m.Layout.kernelDir(after.Kernel))
	if reason := after.depmodReason(); reason != "" {
		return fmt.Errorf("depmod ran and did not help: %s", reason)
	}
	return nil
}
