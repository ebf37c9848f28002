package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dkms-hooks/debpkg"
	"dkms-hooks/dkmsstate"
)

// ModuleExplanation is why a module is on a kernel, or why it is not.
type ModuleExplanation struct {
	// Links are the facts that have to be in order one after the other: from the package to the
	// installed file. The last ones are what runs did with the module.
	Links []Evidence
	// Findings are what is wrong. Without any, State is the state of the module.
	Findings []Finding
	State    ModuleState
	// Reason explains the State, "" if nothing needs to be explained.
	Reason string
	// Troubles lists what could not be read, in a sentence each.
	Troubles []string
}

// ExplainModule explains a module, NAME or NAME/VERSION, on the kernel of the invocation. It
// changes nothing and takes no lock.
func ExplainModule(ctx context.Context, inv Invocation, module string) (ModuleExplanation, error) {
	a := newAssessor(ctx, inv, withRecord(inv))
	survey, err := a.sys.layout.Survey()
	if err == nil {
		err = among(inv.Kernel, survey.Kernels(a.sys.record))
	}
	if err != nil {
		return ModuleExplanation{}, err
	}
	a.o.Registered = survey.Modules()
	a.machine(survey)
	k := a.examine(survey, inv.Kernel)
	view := k.view()
	m, err := k.named(module)
	if err != nil {
		return ModuleExplanation{}, err
	}
	e := ModuleExplanation{Links: k.links(m, view), State: "not registered", Troubles: append(a.sys.troubles, a.o.Troubles...)}
	for _, v := range view.Modules {
		if v.Module == m.Name && v.Version == m.Version {
			e.State, e.Reason = v.State, v.Reason
		}
	}
	for _, f := range a.o.Findings {
		if f.Module == m.String() || f.Module == m.Name || f.File == "modules.dep" && k.s.Installed(m.String()) {
			e.Findings = append(e.Findings, f)
		}
	}
	events, err := k.eventLinks(m)
	e.Links = append(e.Links, events...)
	if err != nil {
		e.Troubles = append(e.Troubles, err.Error())
	}
	return e, nil
}

// named returns the module that a name, or a name and a version, stands for: of several versions
// the one that is installed on the kernel, or else the latest.
func (k kernelAssessor) named(module string) (dkmsstate.Module, error) {
	name, version, exact := strings.Cut(module, "/")
	if exact {
		return dkmsstate.Module{Name: name, Version: version}, nil
	}
	if link, linked := k.s.Link(name, k.s.Arch); linked && link.Version != "" {
		return dkmsstate.Module{Name: name, Version: link.Version}, nil
	}
	if regs := k.s.RegistrationsOf(name); len(regs) > 0 {
		if latest := k.s.Latest(name); latest.Module.Name != "" {
			return latest.Module, nil
		}
		return regs[len(regs)-1].Module, nil
	}
	for _, f := range k.o.Findings {
		if of, version, _ := strings.Cut(f.Module, "/"); of == name && f.Kind == Forgotten {
			return dkmsstate.Module{Name: name, Version: version}, nil
		}
	}
	registered := "no module is registered"
	if len(k.o.Registered) > 0 {
		registered = "registered are " + strings.Join(k.o.Registered, ", ")
	}
	return dkmsstate.Module{}, fmt.Errorf("dkms has no module %s; %s", name, registered)
}

// links returns the facts about a module, from its package to its installed files. view is the
// state of the kernel.
func (k kernelAssessor) links(m dkmsstate.Module, view KernelView) []Evidence {
	r, registered := k.s.Registration(m)
	b, built := k.s.Build(m, k.s.Arch)
	return []Evidence{
		{"package", k.packageWords(m)},
		{"source", sourceWords(r, registered)},
		{"wanted", k.wantedWords(r, registered)},
		{"kernel", kernelWords(World{There: k.s.There}, view)},
		{"headers", headersWords(view)},
		{"build", buildWords(b, built && b.Complete())},
		{"installed", k.installedWords(m, b)},
		{"modules.dep", k.depWords(m)},
		{"modprobe.d", k.modprobeWords(b)},
		{"signature", k.signatureWords(m)},
		{"initramfs", k.initramfsWords(m)},
		{"next boot", k.nextBootWords(view, m)},
	}
}

// initramfsWords describes whether the initramfs contains a module.
func (k kernelAssessor) initramfsWords(m dkmsstate.Module) string {
	if !k.s.InOrder(m) {
		return "nothing is installed"
	}
	l := k.initramfsLink(m)
	if l.Verdict == CannotTell {
		return "cannot tell: " + inOneLine(l.Reason)
	}
	return inOneLine(l.Reason)
}

// nextBootWords describes whether a module is loaded when the kernel is started.
func (k kernelAssessor) nextBootWords(view KernelView, m dkmsstate.Module) string {
	for _, v := range view.Modules {
		if v.Module == m.Name && v.Version == m.Version && v.Load != nil {
			return v.Load.Text()
		}
	}
	return "it is not wanted on this kernel, or the kernel cannot be started"
}

// packageWords describes the package that contains the source of a module.
func (k kernelAssessor) packageWords(m dkmsstate.Module) string {
	db, err := k.inv.database()
	if err != nil {
		return fmt.Sprintf("unknown: %v", err)
	}
	owners, err := db.WithFile(k.sys.layout.PackagedSource(m) + "/dkms.conf")
	owners = slices.DeleteFunc(owners, func(p debpkg.Package) bool { return !p.Status.Present() })
	switch {
	case err != nil:
		return fmt.Sprintf("unknown: %v", err)
	case len(owners) == 0:
		return "no installed package contains its source"
	}
	return packageWords(owners)
}

func sourceWords(r dkmsstate.Registration, registered bool) string {
	switch {
	case !registered:
		return "not registered with dkms"
	case r.Broken != nil:
		return inOneLine(r.Broken.Error())
	}
	return "registered, in " + r.Source
}

// wantedWords describes whether a module is to be installed on the kernel, and who says so.
func (k kernelAssessor) wantedWords(r dkmsstate.Registration, registered bool) string {
	if !registered {
		return "dkms does not know it"
	}
	why := k.unwanted(r)
	required := slices.Contains(k.sys.config.Required, r.Module.Name)
	switch {
	case why != "":
		return "no: " + why
	case r.Conf.AutoinstallUnknown:
		return "only dkms can determine whether its dkms.conf sets AUTOINSTALL"
	case !r.Conf.Autoinstall:
		return "yes: Required in the configuration; its dkms.conf does not set AUTOINSTALL"
	case required:
		return "yes: AUTOINSTALL in its dkms.conf, Required in the configuration"
	}
	return "yes: AUTOINSTALL in its dkms.conf"
}

func buildWords(b dkmsstate.Build, complete bool) string {
	switch {
	case !complete:
		return "none"
	case b.Fresh.Reason != "":
		return fmt.Sprintf("%s, %s", b.Fresh.Verdict, b.Fresh.Reason)
	}
	return string(b.Fresh.Verdict)
}

// installedWords describes the installed files of a module.
func (k kernelAssessor) installedWords(m dkmsstate.Module, b dkmsstate.Build) string {
	link, linked := k.s.Link(m.Name, k.s.Arch)
	switch {
	case linked && link.Version != "" && link.Version != m.Version:
		return "version " + link.Version + " is"
	case k.s.InOrder(m) && b.Unusual() != "":
		return "yes, and " + b.Unusual()
	case k.s.InOrder(m):
		return "yes"
	case linked && b.Problem() != "":
		return "damaged: " + b.Problem()
	}
	return "no"
}

func (k kernelAssessor) depWords(m dkmsstate.Module) string {
	b, _ := k.s.Build(m, k.s.Arch)
	shadows := k.s.ShadowsOf(b)
	switch {
	case k.planned.Depmod != "":
		return "out of date: " + k.planned.Depmod
	case len(shadows) > 0:
		return shadowText(k.s, shadows[0])
	case k.s.InOrder(m):
		return "up to date"
	}
	return "not examined, since no build of it is installed"
}

// modprobeWords describes what modprobe.d(5) sets about a module.
func (k kernelAssessor) modprobeWords(b dkmsstate.Build) string {
	if texts := k.modprobeTexts(b); len(texts) > 0 {
		return strings.Join(texts, "; ")
	}
	return "does not name it"
}

// eventLinks returns the last attempt for a module and what runs did with it, the oldest first.
func (k kernelAssessor) eventLinks(m dkmsstate.Module) ([]Evidence, error) {
	var links []Evidence
	if last, tried := k.kept.Last[m.String()]; tried {
		links = append(links, Evidence{"last attempt", fmt.Sprintf("%s %s: %s", last.When.Local().Format(time.DateTime), last.Result, last.Text)})
	}
	const few = 5
	inv := k.at(k.s.Kernel)
	events, err := History(inv, m.Name)
	for _, e := range events[max(0, len(events)-few):] {
		text := fmt.Sprintf("%s %s %s, %s", e.When.Local().Format(time.DateTime), e.Module, e.Did, e.Caller())
		if e.Text != "" {
			text += ": " + e.Text
		}
		links = append(links, Evidence{"history", text})
	}
	if err != nil {
		err = errors.New(inOneLine(err.Error()))
	}
	return links, err
}
