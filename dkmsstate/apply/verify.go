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

// build runs dkms build and verifies the result, since the exit status of dkms alone does not
// prove anything. It removes a result that certainly is not a build, or that the kernel would
// certainly refuse. It notes what is only unusual.
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

// verifyAgain verifies a build together with what this run has built since.
func (r *taskRun) verifyAgain(ctx context.Context, b dkmsstate.Build, odd string, err error) (string, error) {
	now, lookErr := r.before.Again(dkmsstate.KernelRecord{})
	if lookErr != nil {
		return odd, err
	}
	return fresh.NewExamination(ctx, &now).VerifyBuild(b)
}

// Verify checks that a module that a task installed is really there, since the exit status of
// dkms alone does not prove it. It returns what is wrong, nil for nothing.
func Verify(after dkmsstate.Snapshot, t plan.Task) error {
	if !t.Installs() {
		return nil
	}
	link, _ := after.Link(t.Module.Name, t.Arch)
	b, _ := after.Build(t.Module, t.Arch)
	registration, _ := after.Registration(t.Module)
	switch {
	case !b.Complete():
		return errors.New("dkms reported success, but there is no build")
	case link.Version != t.Module.Version:
		return errors.New("dkms reported success, but it is not installed")
	case len(b.Missing()) > 0 && registration.Conf.InstallSteps: // its script may have moved them
	case b.Problem() != "":
		return fmt.Errorf("dkms reported success, but %s", b.Problem())
	}
	return nil
}
