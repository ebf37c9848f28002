package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// build lets dkms build a module and looks at the result. What is certainly no build, or
// certainly one that the kernel would refuse, is removed again: dkms's exit status alone
// is not believed. What is only unusual is noted.
func (r *taskRun) build(ctx context.Context) error {
	t, layout, kernel := r.task, r.machine.Layout, r.tree.Kernel
	began := time.Now()
	err := r.machine.Engine.Build(ctx, t.Module, kernel, t.Arch, r.log)
	r.took = time.Since(began)
	r.log.Add(record.FindLog(layout, t.Module, kernel, t.Arch))
	if err != nil {
		return err
	}
	b := r.tree.build(t.Module, t.Arch)
	odd, err := r.x.VerifyBuild(b)
	if odd != "" || err != nil {
		odd, err = r.verifyAgain(ctx, b, odd, err)
	}
	if odd != "" {
		r.note(odd)
	}
	if r.built = err == nil; r.built {
		return nil
	}
	version, openErr := r.tree.openVersion(t.Module)
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	defer version.Close()
	dir, openErr := version.Descend(string(kernel))
	if openErr != nil {
		return err // there is nothing to remove
	}
	defer dir.Close()
	return errors.Join(err, dir.RemoveAll(t.Arch))
}

// verifyAgain looks at a build beside what this run has built meanwhile.
func (r *taskRun) verifyAgain(ctx context.Context, b dkmsstate.Build, odd string, err error) (string, error) {
	now, lookErr := r.before.Again(dkmsstate.KernelRecord{})
	if lookErr != nil {
		return odd, err
	}
	return fresh.NewExamination(ctx, &now).VerifyBuild(b)
}

// Verify looks whether a module that a task brought in is really there: dkms's
// exit status alone is not believed. It returns what is wrong, nil for nothing.
func Verify(after dkmsstate.Snapshot, t plan.Task) error {
	if !t.Installs() {
		return nil
	}
	link, _ := after.Link(t.Module.Name, t.Arch)
	b, _ := after.Build(t.Module, t.Arch)
	registration, _ := after.Registration(t.Module)
	switch {
	case !b.Complete():
		return errors.New("dkms reported success, and there is no build")
	case link.Version != t.Module.Version:
		return errors.New("dkms reported success, and it is not installed")
	case len(b.Missing()) > 0 && registration.Conf.InstallSteps: // its script may have moved them
	case b.Problem() != "":
		return fmt.Errorf("dkms reported success, and %s", b.Problem())
	}
	return nil
}
