package plan

import (
	"slices"

	"dkms-hooks/dkmsstate"
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
	// OpReplace builds a module anew whose build no longer fits, installs it where the
	// old one was installed, and leaves that as it is when anything fails.
	OpReplace Op = "rebuild"
	// OpRestore makes the installed files equal to the built ones again and the
	// kernel link name them.
	OpRestore Op = "restore"
	// OpCompress compresses a build as the kernel's own modules are.
	OpCompress Op = "compress"
	// OpRemoveLeftovers removes what runs that were cut off left beside the builds.
	OpRemoveLeftovers Op = "tidy"
	// OpRemoveOtherArch removes the builds and links of other architectures than the
	// kernel's.
	OpRemoveOtherArch Op = "disown"
	// OpUnlink removes a kernel link that names no build.
	OpUnlink Op = "unlink"
	// OpDKMSUnbuild is dkms unbuild --no-depmod, for a module that has steps of
	// its own to run or modules of the kernel to put back.
	OpDKMSUnbuild Op = "uninstall"
	// OpRemoveBuild takes installed files, links and builds away, on the tree.
	OpRemoveBuild Op = "unbuild"
)

// Step is one operation with its reason.
type Step struct {
	Op     Op
	Reason string
}

// Task is what has to be done for one module, in order; the first step that
// fails ends it.
type Task struct {
	Module dkmsstate.Module
	Arch   string
	// Needs are the names of modules (BUILD_DEPENDS) that must be installed
	// before; when one of them fails, this task is skipped.
	Needs []string
	Steps []Step
}

// Installs reports whether the task ends with the module installed.
func (t Task) Installs() bool {
	last := t.Steps[len(t.Steps)-1].Op
	return last == OpInstall || last == OpRestore || last == OpReplace
}

// Builds reports whether the task compiles the module.
func (t Task) Builds() bool {
	return slices.ContainsFunc(t.Steps, func(s Step) bool { return s.Op == OpBuild || s.Op == OpReplace })
}

// Removes reports whether the task ends with the module not installed.
func (t Task) Removes() bool { return t.Steps[len(t.Steps)-1].Op == OpRemoveBuild }

// Note is something about a module, or about a file that is none's, that no step
// can change.
type Note struct {
	Module string
	Text   string
	// Left reports whether nothing is wrong with a module because of it, and Skipped that the
	// module is not meant to be there.
	Left, Skipped bool
}

// Plan is what has to be done to bring one kernel to its goal.
type Plan struct {
	Kernel dkmsstate.Release
	Tasks  []Task
	// Depmod is why modules.dep has to be made anew even when no task changes
	// anything, "" when it need not.
	Depmod string
	// NeedHeaders are the modules that wait for the kernel's headers: there are none,
	// or others than the image's (Mismatch says how that shows).
	NeedHeaders []dkmsstate.Module
	Mismatch    string
	// Broken are troubles with modules, each to be told once.
	Broken []Note
	// Leftovers are what programs that were killed left, to be removed.
	Leftovers []string
	// Unowned are files in the install directory that no build accounts for, to be
	// removed unless they are somebody else's.
	Unowned []string
	goal    Goal
}

// Keeping reports whether the plan was made to keep what is installed, and not to bring in
// what is not.
func (p Plan) Keeping() bool { return p.goal.BringIn != nil }

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool {
	return len(p.Tasks) == 0 && p.Depmod == "" && len(p.Leftovers) == 0 && len(p.Unowned) == 0
}

// OnlyLeftovers reports whether nothing to do but to remove leftovers, after which
// everything is as it was.
func (p Plan) OnlyLeftovers() bool {
	p.Leftovers = nil
	return p.Empty()
}

// Without drops from a plan what was told already, a text for each module, and
// returns how many modules that were: builds that would fail again for the same
// reason, and notes. Tasks that compile nothing stay.
func (p Plan) Without(told map[string]string) (Plan, int) {
	dropped := 0
	p.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks), func(t Task) bool {
		_, known := told[t.Module.String()]
		known = known && t.Builds()
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
