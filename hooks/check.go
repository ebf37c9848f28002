package hooks

import (
	"context"
	"fmt"
	"io"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// Check names the modules that dkms has forgotten: their source package is installed
// and their source is there, and they are not registered, as the hooks of dkms 3.0 and
// earlier leave them. With repair it registers them and builds them for every kernel;
// it is never done unasked. It returns 1 while there are such modules.
func Check(ctx context.Context, inv Invocation, repair bool, stderr io.Writer) int {
	layout, troubles := dkmsstate.ReadLayout(inv.Root)
	report := newReport(stderr, "")
	for _, trouble := range troubles {
		report.say("%s", trouble)
	}
	forgotten, err := forgotten(layout, inv)
	if err != nil {
		report.say("failed: %v", err)
		return exitFailed
	}
	for _, f := range forgotten {
		report.say("forgotten: %s of the package %s: its source is in %s, and dkms does not know it", f.module, f.owner, f.dir)
	}
	switch {
	case len(forgotten) == 0:
		report.say("no module is forgotten")
		return exitOK
	case !repair:
		report.say("  next: dkms-hooks check --repair, which registers and builds what is named here")
		return exitFailed
	}
	return repairForgotten(ctx, inv, layout, forgotten, report)
}

// forgottenModule is a module that a package brought and dkms does not know.
type forgottenModule struct {
	module     dkmsstate.Module
	owner, dir string
}

func forgotten(layout dkmsstate.Layout, inv Invocation) ([]forgottenModule, error) {
	unregistered, err := layout.Unregistered()
	if err != nil || len(unregistered) == 0 {
		return nil, err
	}
	db, err := debpkg.Open(inv.AdminDir)
	if err != nil {
		return nil, err
	}
	var found []forgottenModule
	for _, source := range unregistered {
		owners, err := db.WithFile(source.Dir + "/dkms.conf")
		if err != nil {
			return nil, fmt.Errorf("cannot tell whose %s is: %w", source.Dir, err)
		}
		for _, owner := range owners {
			if owner.Status.State == debpkg.Installed {
				found = append(found, forgottenModule{source.Module, owner.Name, source.Dir})
				break
			}
		}
	}
	return found, nil
}

func repairForgotten(ctx context.Context, inv Invocation, layout dkmsstate.Layout, forgotten []forgottenModule, report *Report) int {
	config, err := ReadConfig(layout.Path(ConfigFile))
	if err != nil {
		report.say("%v", err)
	}
	machine, lock, err := lockMachine(ctx, layout, config, report.say)
	if err != nil {
		report.say("failed: %v", err)
		return exitFailed
	}
	code := exitOK
	for _, f := range forgotten {
		if err := machine.Engine.Add(ctx, f.module); err != nil {
			report.say("failed: %s: %v", f.module, dkmsstate.Explain(err))
			code = exitFailed
			continue
		}
		report.say("%s: registered", f.module)
	}
	lock.Close()
	return max(code, Reconcile(ctx, inv, false, report.out))
}
