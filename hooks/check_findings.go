package hooks

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// checker collects findings.
type checker struct {
	ctx   context.Context
	inv   Invocation
	sys   system
	found []Finding
	// unusual becomes Examined.Unusual.
	unusual []string
}

// reconcileCommand is the command that fixes most problems.
const reconcileCommand = "dkms-hooks reconcile"

func (c *checker) add(f Finding) {
	f.Text = inOneLine(f.Text)
	c.found = append(c.found, f)
}

// repairable adds a finding that a reconcile fixes.
func (c *checker) repairable(kind FindingKind, where, text string) {
	c.add(Finding{Kind: kind, Where: where, Text: text, Fix: reconcileCommand, Repairable: true})
}

// forgotten finds modules that are not registered although their package and their source are
// installed. The hooks of dkms 3.0 and earlier leave modules like that.
func (c *checker) forgotten() error {
	unregistered, err := c.sys.layout.Unregistered()
	if err != nil || len(unregistered) == 0 {
		return err
	}
	db, err := c.inv.database()
	if err != nil {
		return err
	}
	for _, source := range unregistered {
		owners, err := db.WithFile(source.Dir + "/dkms.conf")
		if err != nil {
			return fmt.Errorf("cannot find the package that contains %s/dkms.conf: %w", source.Dir, err)
		}
		i := slices.IndexFunc(owners, func(p debpkg.Package) bool { return p.Status.State == debpkg.Installed })
		if i < 0 {
			continue
		}
		c.add(Finding{Kind: Forgotten, Where: source.Module.String(), module: source.Module, Repairable: true,
			Text: fmt.Sprintf("its package %s is installed and its source is in %s, but it is not registered with dkms", owners[i].Name, source.Dir),
			Fix:  "dkms-hooks check --repair"})
	}
	return nil
}

// registration adds the finding for a broken registration. It concerns every kernel.
func (c *checker) registration(r dkmsstate.Registration) {
	m := r.Module
	dir := path.Join(c.sys.layout.Source, m.Name+"-"+m.Version)
	fix := fmt.Sprintf("restore its source in %s", cmp.Or(r.Source, dir))
	if db, err := c.inv.database(); err == nil {
		if name, err := owner(db, dir+"/dkms.conf"); err == nil && name != "" {
			fix = fmt.Sprintf("apt reinstall %s; if the module is no longer needed: apt purge %s", name, name)
		}
	}
	c.add(Finding{Kind: Broken, Where: m.String(), Text: r.Broken.Error(), Fix: fix})
}

// kernel finds what is wrong on an installed kernel.
func (c *checker) kernel(s dkmsstate.Snapshot) error {
	on := func(module string) string { return fmt.Sprintf("%s on %s", module, s.Kernel) }
	planned := plan.Autoinstall(s, wantedOn(c.at(s.Kernel), c.sys))
	for _, t := range planned.Tasks {
		b, built := s.Build(t.Module, s.Arch)
		link, linked := s.Link(t.Module.Name, s.Arch)
		first := t.Steps[0]
		damaged := built && (!b.Complete() || first.Op == plan.OpRestore) || linked && link.Version == t.Module.Version
		switch {
		case t.OnlyCompresses():
			c.unusual = append(c.unusual, fmt.Sprintf("%s: %s; dkms-hooks reconcile compresses it", on(t.Module.String()), first.Reason))
		case first.Op == plan.OpReplace || b.Fresh.Verdict == dkmsstate.Stale:
			c.repairable(Stale, on(t.Module.String()), strings.TrimPrefix(first.Reason, "stale, "))
		case damaged || first.Op == plan.OpRemoveLeftovers || first.Op == plan.OpRemoveOtherArch || first.Op == plan.OpUnlink:
			c.repairable(Broken, on(t.Module.String()), first.Reason)
		case t.Installs() && c.failed(s, t.Module) != "":
			c.add(Finding{Kind: Missing, Where: on(t.Module.String()), Text: "failed: " + c.failed(s, t.Module),
				Fix: fmt.Sprintf("fix the error (dkms-hooks log %s %s), then run: %s", s.Kernel, t.Module.Name, runPostinst(s.Kernel))})
		case t.Installs() && !c.skipped(s, t.Module):
			c.add(Finding{Kind: Missing, Where: on(t.Module.String()), Text: first.Reason, Repairable: true,
				Fix: fmt.Sprintf("%s; if it is not wanted there: Ignore: %s@%s in %s", runPostinst(s.Kernel), t.Module.Name, s.Kernel, ConfigFile)})
		}
	}
	for _, b := range s.Builds {
		if link, _ := s.Link(b.Module.Name, b.Arch); b.Arch == s.Arch && link.Version == b.Module.Version && b.Unusual() != "" {
			c.unusual = append(c.unusual, fmt.Sprintf("%s: %s; left unchanged", on(b.Module.String()), b.Unusual()))
		}
	}
	for _, m := range planned.NeedHeaders {
		if b, _ := s.Build(m, s.Arch); b.Fresh.Verdict == dkmsstate.Stale {
			c.add(Finding{Kind: Stale, Where: on(m.String()), Text: b.Fresh.Reason, Fix: c.headersFix(s)})
		} else if link, linked := s.Link(m.Name, s.Arch); linked && link.Version == m.Version {
			c.add(Finding{Kind: Broken, Where: on(m.String()), Text: "its build is gone", Fix: c.headersFix(s)})
		}
	}
	for _, name := range c.leftovers(s) {
		c.repairable(Leftover, c.sys.layout.Path(name), "left by an interrupted run")
	}
	if planned.Depmod != "" {
		c.repairable(Broken, on("modules.dep"), planned.Depmod)
	}
	return c.unowned(s, planned)
}

// failed returns the error of a module's last attempt on the kernel. It returns "" if the
// attempt did not fail, or if what the module is built from has changed since.
func (c *checker) failed(s dkmsstate.Snapshot, m dkmsstate.Module) string {
	last := c.sys.record.Kernel(s.Kernel).Last[m.String()]
	if last.Result != dkmsstate.LastFailed || last.Inputs != s.Inputs(m.String()) {
		return ""
	}
	return last.Text
}

// skipped reports whether the last attempt on the kernel skipped the module, and another one
// would, too.
func (c *checker) skipped(s dkmsstate.Snapshot, m dkmsstate.Module) bool {
	return skippedAsBefore(s, c.sys.record.Kernel(s.Kernel), m)
}

// skippedAsBefore reports whether the last attempt skipped a module that is not meant for the
// kernel, and another attempt would skip it again.
func skippedAsBefore(s dkmsstate.Snapshot, kept dkmsstate.KernelRecord, m dkmsstate.Module) bool {
	last := kept.Last[m.String()]
	return last.Result == dkmsstate.LastSkipped && last.Inputs == s.Inputs(m.String())
}

// leftovers returns what killed programs left. While a run is active it returns nothing, since
// some of it may belong to that run.
func (c *checker) leftovers(s dkmsstate.Snapshot) []string {
	if atWork, err := record.AtWork(c.sys.layout); atWork || err != nil {
		return nil
	}
	return s.Leftovers
}

// at returns the invocation for a kernel.
func (c *checker) at(kernel dkmsstate.Release) Invocation {
	inv := c.inv
	inv.Kernel = kernel
	return inv
}

// unowned finds installed files that belong to no build of dkms and to no package.
func (c *checker) unowned(s dkmsstate.Snapshot, planned plan.Plan) error {
	for _, name := range planned.LeftUnowned(s) {
		db, err := c.inv.database()
		if err != nil {
			return err
		}
		file := dkmsstate.InstalledPath(s.Kernel, name)
		whose, err := owner(db, file)
		if err != nil {
			return err
		}
		if whose == "" {
			c.add(Finding{Kind: Unowned, Where: file, Text: "it belongs to no build of dkms and to no package",
				Fix: fmt.Sprintf("if you did not put it there: rm %s && depmod %s", c.sys.layout.Path(file), s.Kernel)})
		}
	}
	return nil
}

// gone finds what is left of a kernel that is gone.
func (c *checker) gone(s dkmsstate.Snapshot) error {
	w := ReadKernel(c.at(s.Kernel), c.sys.layout, c.sys.record.Kernel(s.Kernel))
	d := DecideKernel(c.at(s.Kernel), w)
	if d.Verdict != Unbuild {
		return w.Unreadable
	}
	var left []string
	for _, b := range s.Builds {
		left = append(left, "a build of "+b.Module.String())
	}
	for _, m := range s.LeftoversOf {
		left = append(left, "leftovers of a build of "+m.String())
	}
	for _, name := range c.leftovers(s) {
		left = append(left, c.sys.layout.Path(name))
	}
	if d.RemoveKernelDir && len(apply.Tree{Layout: c.sys.layout, Kernel: s.Kernel}.KernelDirLeftovers()) > 0 {
		left = append(left, "its module directory")
	}
	if len(left) > 0 {
		c.repairable(Gone, string(s.Kernel), "the kernel is gone, but "+strings.Join(left, ", ")+" is left")
	}
	return nil
}

// headersFix returns what to do about a kernel's headers.
func (c *checker) headersFix(s dkmsstate.Snapshot) string {
	if s.Mismatch != "" {
		return mismatchAdvice(s.Kernel)
	}
	return headersAdvice(c.ctx, c.at(s.Kernel))
}
