package hooks

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/regular"
)

// assessor reads an Overview.
type assessor struct {
	ctx  context.Context
	inv  Invocation
	sys  system
	boot boot
	o    Overview
	// rules returns what modprobe.d(5) sets. It is read once, on the first call.
	rules func() modprobe.Modprobe
	// readsInitramfs reports whether an initramfs is read that was made since it was last read.
	readsInitramfs bool
	// disabled returns the line of sysctl.d(5) that ends the loading of modules.
	disabled func() (modprobe.Line, bool)
	// startup is what is the same for all kernels about the next start.
	startup startup
	// brokenFound are the modules whose registration is broken, as far as it was found.
	brokenFound map[dkmsstate.Module]bool
}

func newAssessor(ctx context.Context, inv Invocation, sys system) *assessor {
	inv.Hook = Reconciler
	var start startup
	boot := start.boot(inv, sys.layout)
	return &assessor{ctx: ctx, inv: inv, sys: sys, boot: boot, startup: start,
		disabled:    sync.OnceValues(func() (modprobe.Line, bool) { return modprobe.ModulesDisabled(sys.layout.Root) }),
		rules:       sync.OnceValue(func() modprobe.Modprobe { return modprobe.ReadModprobe(sys.layout.Root) }),
		brokenFound: map[dkmsstate.Module]bool{}, o: Overview{
			Schema: overviewSchema, Program: Version, Host: hostName(sys.layout), Time: time.Now().Truncate(time.Second),
			NextBoot: boot.next, Kernels: []KernelView{}, Registered: []string{}, Findings: []Finding{}, Unusual: []string{}, HooksOff: []string{}, Troubles: []string{},
		}}
}

// hostName returns the name of the machine. For another root it returns what is configured there.
func hostName(layout dkmsstate.Layout) string {
	if layout.Root == "/" {
		name, _ := os.Hostname()
		return name
	}
	data, _ := regular.ReadAtMost(layout.NoFollow().Inside("/etc/hostname"), maxConfig)
	return WithoutControls(strings.TrimSpace(string(data)))
}

// add adds a finding.
func (a *assessor) add(f Finding) {
	f.Reason = inOneLine(f.Reason)
	f.Boot = f.Kind.decidesBoot() && (f.Kernel == "" || slices.Contains(a.boot.kernels, f.Kernel))
	a.o.Findings = append(a.o.Findings, f)
}

// trouble adds what could not be read.
func (a *assessor) trouble(err error) {
	if err == nil {
		return
	}
	if text := inOneLine(err.Error()); !slices.Contains(a.o.Troubles, text) {
		a.o.Troubles = append(a.o.Troubles, text)
	}
}

// machine finds what concerns every kernel.
func (a *assessor) machine(survey *dkmsstate.Survey) {
	for _, mistake := range a.sys.config.Mistakes {
		a.add(Finding{Kind: BadConfig, File: mistake.File, Reason: mistakeText(mistake),
			Fix: fmt.Sprintf("correct it; %s prints what is in force", a.inv.Command("dkms-hooks config"))})
	}
	a.hooks()
	a.forgotten()
	a.required(survey)
}

// mistakeText returns what is wrong in a configuration file, and what follows.
func mistakeText(m ConfigMistake) string {
	return fmt.Sprintf("line %d: %s; the mistake is ignored, and the rest is in force", m.Line, m.Text)
}

// forgotten finds modules that are not registered although their package and their source are
// installed. The hooks of dkms 3.0 and earlier leave modules like that.
func (a *assessor) forgotten() {
	unregistered, err := a.sys.layout.Unregistered()
	if a.trouble(err); len(unregistered) == 0 {
		return
	}
	db, err := a.inv.database()
	if err != nil {
		a.trouble(fmt.Errorf("cannot determine whether a module was forgotten: %w", err))
		return
	}
	for _, source := range unregistered {
		owners, err := db.WithFile(source.Dir + "/dkms.conf")
		if err != nil {
			a.trouble(fmt.Errorf("cannot find the package that contains %s/dkms.conf: %w", source.Dir, err))
			continue
		}
		if !a.sys.config.ignoredEverywhere(source.Module) {
			a.unregistered(source, owners)
		}
	}
}

// unregistered finds a module whose source a package contains that is installed, or that an
// interrupted run of dpkg has not configured: the prerm of the version before has removed the module.
func (a *assessor) unregistered(source dkmsstate.SourceDir, owners []debpkg.Package) {
	in := func(states ...debpkg.State) int {
		return slices.IndexFunc(owners, func(p debpkg.Package) bool { return slices.Contains(states, p.Status.State) })
	}
	if i := in(debpkg.Installed); i >= 0 {
		a.add(Finding{Kind: Forgotten, Module: source.Module.String(), Repairable: true,
			Reason: fmt.Sprintf("its package %s is installed and its source is in %s, but it is not registered with dkms", owners[i].Name, source.Dir),
			Fix:    a.inv.Command(repairAll)})
	} else if i := in(debpkg.Unpacked, debpkg.HalfConfigured); i >= 0 {
		a.add(Finding{Kind: Forgotten, Module: source.Module.String(),
			Reason: fmt.Sprintf("its package %s is not configured (dpkg: %s), and it is not registered with dkms", owners[i].Name, owners[i].Status),
			Fix:    a.inv.Command(configurePackages)})
	}
}

// required finds modules that the configuration requires and dkms does not know.
func (a *assessor) required(survey *dkmsstate.Survey) {
	for _, name := range a.sys.config.Required {
		known := slices.ContainsFunc(survey.Modules(), func(module string) bool { return strings.HasPrefix(module, name+"/") })
		wanted := slices.ContainsFunc(a.sys.layout.InstalledKernels(), func(kernel dkmsstate.Release) bool { return !a.sys.config.ignoresName(kernel, name) })
		if !known && wanted {
			a.add(Finding{Kind: Required, Module: name,
				Reason: "the configuration requires it, and it is not registered with dkms",
				Fix:    "install the package of the module, or remove it from Required in " + a.configFile()})
		}
	}
}

// configFile returns the path of the configuration file that the administrator edits.
func (a *assessor) configFile() string { return a.sys.layout.Path(ConfigFile) }

// broken adds the finding for a broken registration.
func (a *assessor) broken(r dkmsstate.Registration) {
	dir := a.sys.layout.PackagedSource(r.Module)
	fix := "restore its source in " + cmp.Or(r.Source, dir)
	if db, err := a.inv.database(); err == nil {
		if name, err := owner(db, dir+"/dkms.conf"); err == nil && name != "" {
			fix = fmt.Sprintf("%s; if the module is no longer needed: %s", a.inv.Command("apt reinstall "+name), a.inv.Command("apt purge "+name))
		}
	}
	a.add(Finding{Kind: Broken, Module: r.Module.String(), Reason: r.Broken.Error(), Fix: fix})
}

// owner returns the name of an installed package that contains the file, "" if there is none.
func owner(db *debpkg.Database, path string) (string, error) {
	owners, err := db.WithFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot find the package that contains %s: %w", path, err)
	}
	for _, p := range owners {
		if p.Status.Present() {
			return p.Name, nil
		}
	}
	return "", nil
}
