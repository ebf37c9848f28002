package plan

import (
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
)

// Op is an operation on one module on one kernel.
type Op string

// The operations of steps. None of them removes a registration.
const (
	// OpClear removes a build directory that contains no build. dkms would refuse to build over
	// it.
	OpClear Op = "clear"
	// OpBuild and OpInstall are dkms build and dkms install --no-depmod.
	OpBuild   Op = "build"
	OpInstall Op = "install"
	// OpReplace rebuilds a module whose build no longer fits, and installs it where the old
	// build was installed. If anything fails, the old build is left as it is.
	OpReplace Op = "rebuild"
	// OpRestore installs the missing and damaged files of a build again and makes the kernel
	// link name the build.
	OpRestore Op = "restore"
	// OpCompress compresses a build like the kernel's own modules.
	OpCompress Op = "compress"
	// OpRemoveLeftovers removes what interrupted runs left beside the builds.
	OpRemoveLeftovers Op = "tidy"
	// OpRemoveOtherArch removes the builds and links for another architecture than the
	// kernel's.
	OpRemoveOtherArch Op = "disown"
	// OpUnlink removes a kernel link that names no build.
	OpUnlink Op = "unlink"
	// OpDKMSUnbuild is dkms unbuild --no-depmod, for a module that has a script of its own to
	// run or modules of the kernel to put back.
	OpDKMSUnbuild Op = "uninstall"
	// OpRemoveBuild removes installed files, links and builds without dkms.
	OpRemoveBuild Op = "unbuild"
)

// Step is one operation with its reason.
type Step struct {
	Op     Op
	Reason string
}

// Task is what has to be done for one module, step by step. The first step that fails ends it.
type Task struct {
	Module dkmsstate.Module
	Arch   string
	// Needs are the names of the modules (BUILD_DEPENDS) that must be installed before. If one
	// of them fails, this task is not begun.
	Needs []string
	Steps []Step
	// Stays reports whether the module is installed, in this version or an older one, and stays so if
	// the task fails.
	Stays bool
	// OnlyCompresses reports whether nothing is wrong with the module but that it is not
	// compressed like those of the kernel, which loads it all the same.
	OnlyCompresses bool
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

// Lacks returns a module that the task needs and that is among those which failed, "" for none.
func (t Task) Lacks(failed map[string]bool) string {
	for _, name := range t.Needs {
		if failed[name] {
			return name
		}
	}
	return ""
}

// LacksText returns why a task is not begun that lacks a module.
func LacksText(need string) string { return needsText(need) + "is not installed" }

// UnavailableText returns why a task is not carried out whose need is not built for the kernel.
func UnavailableText(need string) string { return needsText(need) + "is not available for this kernel" }

// needsText begins each text about a module that another one needs.
func needsText(need string) string { return "it needs " + need + ", which " }

// lacked returns the module that the task lacked when it was last to be begun, "" for none.
func (t Task) lacked(last dkmsstate.Last) string {
	i := slices.IndexFunc(t.Needs, func(need string) bool { return strings.HasPrefix(last.Text, needsText(need)) })
	if i < 0 {
		return ""
	}
	return t.Needs[i]
}

// Note is a message about a module, or about a file that belongs to no module, that no step can
// resolve.
type Note struct {
	Module string
	Text   string
	// Left reports whether the message means that nothing is wrong with the module. Skipped
	// reports whether the module is not meant to be installed. Unmet reports whether a module of
	// its BUILD_DEPENDS is not available, and Waits whether that one may still come.
	Left, Skipped, Unmet, Waits bool
}

// Plan is what has to be done on one kernel to reach a goal.
type Plan struct {
	Kernel dkmsstate.Release
	Tasks  []Task
	// Depmod is why modules.dep has to be regenerated even if no task changes anything, "" if
	// it need not be.
	Depmod string
	// NeedHeaders are the modules that wait for the kernel's headers. These are not installed,
	// or not those of the image (Mismatch is what shows that).
	NeedHeaders []dkmsstate.Module
	Mismatch    string
	// Broken are troubles with modules, each to be reported once.
	Broken []Note
	// Leftovers are files that killed programs left behind, to be removed.
	Leftovers []string
	// Unowned are files in the install directory that no build accounts for, to be removed
	// unless somebody else owns them.
	Unowned []string
	// off are the modules that are not brought in because of dkmsstate.NoAutoinstallFile.
	off  []string
	goal Goal
}

// Keeping reports whether the plan was made to repair what is installed, and not to bring in
// every other module.
func (p Plan) Keeping() bool { return p.goal.BringIn != nil }

// NotMeant returns why a module is not meant for the kernel, "" if nothing shows that. The plan may
// still have a task for it: dkms decides again.
func (p Plan) NotMeant(m dkmsstate.Module) string { return p.goal.notMeant(m) }

// Empty reports whether there is nothing to do.
func (p Plan) Empty() bool {
	return len(p.Tasks) == 0 && p.Depmod == "" && len(p.Leftovers) == 0 && len(p.Unowned) == 0
}

// OnlyLeftovers reports whether there is nothing to do but to remove leftovers, which changes
// nothing else.
func (p Plan) OnlyLeftovers() bool {
	p.Leftovers = nil
	return p.Empty()
}

// Without returns the plan without what was reported already, by a text for each module, and
// the modules that it dropped: builds that would fail again for the same reason, and notes.
// Tasks that compile nothing stay. last are the last attempts by module, and retries reports whether
// what failed for a reason that may be gone is tried again all the same.
//
// What needs a build that is dropped is not begun either, since dkms 3.0 would build it without that
// one. A module that was skipped lacks to nobody, as with dkms 3.0.11 and later. What lacked one that is
// no longer left out is tried again.
func (p Plan) Without(told map[string]string, last map[string]dkmsstate.Last, retries bool) (Plan, []string) {
	var dropped []string
	failed, left := map[string]bool{}, map[string]bool{}
	broken := slices.Clone(p.Broken)
	p.Tasks = slices.DeleteFunc(slices.Clone(p.Tasks), func(t Task) bool { // what a task needs comes before it
		module := t.Module.String()
		_, known := told[module]
		need, lacked := t.Lacks(failed), t.lacked(last[module])
		switch {
		case !t.Builds():
			return false
		case need != "" && last[module].Text == LacksText(need):
			dropped = append(dropped, module)
		case need != "":
			broken = append(broken, Note{Module: module, Text: LacksText(need), Unmet: true})
		case !known || lacked == "" && retries && last[module].MayPass() || lacked != "" && !left[lacked]:
			return false
		default:
			dropped = append(dropped, module)
		}
		left[t.Module.Name] = true
		failed[t.Module.Name] = failed[t.Module.Name] || last[module].Result != dkmsstate.LastSkipped && !t.Stays
		return true
	})
	p.Broken = slices.DeleteFunc(broken, func(n Note) bool {
		known := told[n.Module] == n.Text
		if known {
			dropped = append(dropped, n.Module)
		}
		return known
	})
	return p, dropped
}
