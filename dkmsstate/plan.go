package dkmsstate

import (
	"fmt"
	"slices"
	"strings"
)

// Op is one thing that can be done for one module on one kernel.
type Op string

// What a step does. There is none that removes a registration.
const (
	// OpClear removes a build directory that holds no build; dkms would refuse
	// to build over it.
	OpClear Op = "clear"
	// OpBuild and OpInstall are dkms build and dkms install --no-depmod.
	OpBuild   Op = "build"
	OpInstall Op = "install"
	// OpRestore makes the installed files equal to the built ones again and the
	// kernel link name them.
	OpRestore Op = "restore"
	// OpUninstall is dkms unbuild --no-depmod, for a module that has steps of
	// its own to run or modules of the kernel to put back.
	OpUninstall Op = "uninstall"
	// OpUnbuild takes installed files, links and builds away, on the tree.
	OpUnbuild Op = "unbuild"
)

// Step is one operation with its reason.
type Step struct {
	Op     Op
	Reason string
}

// Task is what has to be done for one module, in order; the first step that
// fails ends it.
type Task struct {
	Module Module
	Arch   string
	// Needs are the names of modules (BUILD_DEPENDS) that must be installed
	// before; when one of them fails, this task is skipped.
	Needs []string
	Steps []Step
}

// Note is something about a module that no step can change.
type Note struct {
	Module string
	Text   string
}

// Plan is what has to be done to bring one kernel to its goal.
type Plan struct {
	Kernel Release
	Tasks  []Task
	// Depmod is why modules.dep has to be made anew even when no task changes
	// anything, "" when it need not.
	Depmod string
	// NeedHeaders are the modules that wait for the kernel's headers.
	NeedHeaders []Module
	// Broken are troubles with modules, each to be told once.
	Broken []Note
}

// Empty says that there is nothing to do.
func (p Plan) Empty() bool { return len(p.Tasks) == 0 && p.Depmod == "" }

// Without drops from a plan what was told already, a text for each module, and
// returns how many modules that were: builds that would fail again for the same
// reason, and notes. Tasks that compile nothing stay.
func (p Plan) Without(told map[string]string) (Plan, int) {
	dropped := 0
	p.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks), func(t Task) bool {
		_, known := told[t.Module.String()]
		known = known && slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Op == OpBuild })
		if known {
			dropped++
		}
		return known
	})
	p.Broken = slices.DeleteFunc(slices.Clone(p.Broken), func(n Note) bool {
		known := told[n.Module] == n.Text
		if known {
			dropped++
		}
		return known
	})
	return p, dropped
}

// PlanUnbuild plans to take all builds of the snapshot's kernel away, of every
// version and architecture. Registrations stay.
func PlanUnbuild(s Snapshot) Plan {
	p := Plan{Kernel: s.Kernel}
	for _, r := range s.Registrations {
		t := Task{Module: r.Module, Arch: s.Arch}
		var what []string
		for _, b := range s.Builds {
			if b.Module != r.Module {
				continue
			}
			link, linked := s.Link(r.Module.Name, b.Arch)
			linked = linked && link.Version == r.Module.Version
			if linked {
				what = append(what, "installed for "+b.Arch)
			} else {
				what = append(what, "built for "+b.Arch)
			}
			if linked && r.Broken == nil && (r.Conf.OwnSteps || b.Original) {
				t.Arch = b.Arch
				t.Steps = append(t.Steps, Step{OpUninstall, ownReason(r.Conf.OwnSteps)})
			}
		}
		for _, l := range s.Links {
			if _, built := s.Build(r.Module, l.Arch); l.Name == r.Module.Name && l.Version == r.Module.Version && !built {
				what = append(what, "a link for "+l.Arch)
			}
		}
		if s.remains(r.Module) {
			what = append(what, "remains of an interrupted run")
		}
		if len(what) > 0 {
			t.Steps = append(t.Steps, Step{OpUnbuild, strings.Join(what, ", ")})
			p.Tasks = append(p.Tasks, t)
		}
	}
	return p
}

func ownReason(ownSteps bool) string {
	if ownSteps {
		return "it has a POST_REMOVE step of its own"
	}
	return "it replaced modules of the kernel"
}

// PlanAutoinstall plans to give the kernel every module that it should have:
// those that dkms would install there unasked, and those that were installed
// there before. What is in order is left alone.
func PlanAutoinstall(s Snapshot) Plan {
	p := Plan{Kernel: s.Kernel}
	for _, name := range s.names() {
		p.planModule(s, name)
	}
	p.orderByNeeds(s)
	if reason := s.depmodReason(); reason != "" {
		p.Depmod = reason
	}
	return p
}

// planModule plans for one module name: the version that is installed is kept
// whole, and the newest that wants to be installed is brought in.
func (p *Plan) planModule(s Snapshot, name string) {
	link, linked := s.Link(name, s.Arch)
	current := Module{Name: name, Version: link.Version}
	if linked && link.Version != "" {
		p.keep(s, current)
	}
	wanted, ok := p.newest(s, name)
	if ok && (!linked || wanted != current) {
		p.bringIn(s, wanted, linked)
	}
}

// keep plans to make an installed module whole again.
func (p *Plan) keep(s Snapshot, m Module) {
	r, known := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	if exists && b.Complete() {
		if reason := b.wrong(); reason != "" {
			p.Tasks = append(p.Tasks, Task{Module: m, Arch: s.Arch, Steps: []Step{{OpRestore, reason}}})
		}
		return
	}
	switch {
	case !known:
		p.Broken = append(p.Broken, Note{m.String(), "its kernel link names a version that dkms does not know"})
	case r.Broken != nil: // newest tells it
	case !s.Headers:
		p.NeedHeaders = append(p.NeedHeaders, m)
	default:
		t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends, Steps: buildSteps(exists, "its build is gone")}
		t.Steps = append(t.Steps, Step{OpRestore, "built anew"})
		p.Tasks = append(p.Tasks, t)
	}
}

// bringIn plans to install a module that is not installed on the kernel.
func (p *Plan) bringIn(s Snapshot, m Module, otherLinked bool) {
	r, _ := s.Registration(m)
	b, exists := s.Build(m, s.Arch)
	t := Task{Module: m, Arch: s.Arch, Needs: r.Conf.Depends}
	switch {
	case exists && b.Complete() && !otherLinked && b.anyCopy():
		// dkms install would take the file that stands there for one of the
		// kernel's own and archive it (3.1.7 and later).
		t.Steps = []Step{{OpRestore, "its kernel link is gone"}}
	case exists && b.Complete():
		t.Steps = []Step{{OpInstall, "built and not installed"}}
	case !s.Headers:
		p.NeedHeaders = append(p.NeedHeaders, m)
		return
	default:
		t.Steps = append(buildSteps(exists, "not built"), Step{OpInstall, "not installed"})
	}
	p.Tasks = append(p.Tasks, t)
}

func buildSteps(dirExists bool, reason string) []Step {
	if dirExists {
		return []Step{{OpClear, "its build directory holds no build"}, {OpBuild, reason}}
	}
	return []Step{{OpBuild, reason}}
}

// newest gives the version of a module that dkms would install unasked, and
// notes what stands in the way of the others.
func (p *Plan) newest(s Snapshot, name string) (Module, bool) {
	var best Module
	for _, r := range s.Registrations {
		if r.Module.Name != name {
			continue
		}
		link, _ := s.Link(name, s.Arch)
		switch {
		case r.Broken != nil:
			p.Broken = append(p.Broken, Note{r.Module.String(), r.Broken.Error()})
		case s.NoAutoinstall:
		case r.Conf.Autoinstall:
			if best == (Module{}) || versionLess(best.Version, r.Module.Version) {
				best = r.Module
			}
		case link.Version != r.Module.Version && slices.Contains(r.Conf.Clever, "AUTOINSTALL"):
			p.Broken = append(p.Broken, Note{r.Module.String(), "its dkms.conf decides about AUTOINSTALL in a way only a shell can follow; " +
				"dkms install " + r.Module.String() + " -k " + string(s.Kernel) + " installs it"})
		}
	}
	return best, best != (Module{})
}

// wrong says what is wrong with the installed files of a build, "" for nothing.
func (b Build) wrong() string {
	for _, f := range b.Files {
		switch f.Copy {
		case CopyMissing:
			// dkms 3.0 counts a module as installed that it did not install
			// because the kernel has the same version or a newer one itself.
			if !f.InKernel {
				return f.Name + " is not in " + installedUnder
			}
		case CopyDiffers:
			return f.Name + " in " + installedUnder + " is not the one that was built"
		}
	}
	return ""
}

func (b Build) anyCopy() bool {
	for _, f := range b.Files {
		if f.Copy != CopyMissing {
			return true
		}
	}
	return false
}

// depmodReason says why modules.dep does not fit what is installed.
func (s Snapshot) depmodReason() string {
	if !s.There {
		return ""
	}
	here := map[string]bool{}
	for _, b := range s.Builds {
		link, ok := s.Link(b.Module.Name, b.Arch)
		if !ok || link.Version != b.Module.Version {
			continue
		}
		for _, f := range b.Files {
			here[f.Name] = f.Copy != CopyMissing
			if here[f.Name] && !s.Dep.Names(f.Name) {
				return "modules.dep does not name " + f.Name
			}
		}
	}
	for _, name := range s.Stray {
		here[name] = true
	}
	for _, name := range s.Dep.Installed() {
		if !here[name] && !anyExists(s.Layout.installDir(s.Kernel), name) {
			return fmt.Sprintf("modules.dep names %s, which is gone", name)
		}
	}
	return ""
}
