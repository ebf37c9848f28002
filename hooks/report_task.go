package hooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// begin prints that a build begins.
func (r *Report) begin(t plan.Task, number, total int) {
	if r.brief {
		return // announce has printed it
	}
	for _, step := range t.Steps {
		switch step.Op {
		case plan.OpBuild:
			r.infof("building %s (%d of %d)", t.Module, number, total)
		case plan.OpReplace:
			r.infof("rebuilding %s (%d of %d): %s", t.Module, number, total, step.Reason)
		}
	}
}

// end prints how a task ended.
func (r *Report) end(res apply.Result, took time.Duration) {
	m := res.Task.Module
	switch res.Outcome {
	case apply.Done:
		r.taskDone(m.String(), res.Task.Steps[len(res.Task.Steps)-1], took)
		for _, note := range res.Notes {
			r.atEndf("warning: %s is installed for %s, but %s", m, r.kernel, note)
		}
		r.notSigned(m.String(), res.Unsigned)
	case apply.Again:
		if !r.brief {
			r.infof("%s: failed while others were built; it is tried again after those before it", m)
		}
	case apply.Chosen:
		r.infof("%s: %v, which leaves it so", m, res.Err)
	case apply.Skipped:
		r.trouble(dkmsstate.LastSkipped, m.String(), res.Err.Error(), true)
	case apply.Failed:
		if errors.Is(res.Err, context.Canceled) {
			return // it had not begun; the interruption is printed once, at the end
		}
		r.taskFailed(res)
	}
}

// taskDone prints that a task succeeded. A brief report keeps most of these for summary.
func (r *Report) taskDone(module string, step plan.Step, took time.Duration) {
	short := map[plan.Op]string{plan.OpInstall: "installed", plan.OpReplace: "rebuilt", plan.OpRemoveBuild: "removed"}[step.Op]
	if !r.brief || short == "" {
		r.infof("%s: %s%s", module, doneText(step), seconds(took))
		return
	}
	if r.ended == nil {
		r.ended = map[string][]string{}
	}
	r.ended[short] = append(r.ended[short], module)
}

// takeBack removes from the end of a report what was kept for a task that seemed to end well.
func (r *Report) takeBack(module string) {
	of := func(other string) bool { return other == module }
	for did := range r.ended {
		if r.ended[did] = slices.DeleteFunc(r.ended[did], of); len(r.ended[did]) == 0 {
			delete(r.ended, did)
		}
	}
	for reason := range r.unsigned {
		if r.unsigned[reason] = slices.DeleteFunc(r.unsigned[reason], of); len(r.unsigned[reason]) == 0 {
			delete(r.unsigned, reason)
		}
	}
	r.last = slices.DeleteFunc(r.last, func(line string) bool { return strings.HasPrefix(line, "warning: "+module+" is installed") })
}

// taskFailed prints that a task failed, and keeps what to do about it for the end.
func (r *Report) taskFailed(res apply.Result) {
	m, text := res.Task.Module, res.Err.Error()
	last := res.Task.Steps[len(res.Task.Steps)-1]
	if last.Op == plan.OpReplace {
		text = "the old build stays: " + text
	}
	r.takeBack(m.String())
	r.trouble(dkmsstate.LastFailed, m.String(), text, res.Task.Installs())
	if res.NoLog != nil {
		r.warnf("  no log: %v", res.NoLog)
	}
	command := r.inv.Command(reconcileCommand)
	switch {
	case last.Op == plan.OpReplace, res.Task.Installs():
		command = r.inv.runPostinst(r.kernel)
	case last.Op == plan.OpRemoveBuild:
		command = r.inv.runRemoval(r.kernel)
	}
	if res.Log != "" {
		r.logs = append(r.logs, m.Name)
	}
	r.advise(fixThenRun(command))
}

// notSigned keeps a module that was built and not signed for the end.
func (r *Report) notSigned(module, reason string) {
	if reason == "" {
		return
	}
	if r.unsigned == nil {
		r.unsigned = map[string][]string{}
	}
	reason = inOneLine(reason)
	r.unsigned[reason] = append(r.unsigned[reason], module)
}

// doneText returns what a step did.
func doneText(step plan.Step) string {
	switch step.Op {
	case plan.OpInstall:
		return "installed"
	case plan.OpReplace:
		return "rebuilt and installed"
	case plan.OpRestore:
		return "restored (" + step.Reason + ")"
	case plan.OpRemoveBuild:
		return "removed (was " + step.Reason + ")"
	case plan.OpCompress:
		return "compressed (" + step.Reason + ")"
	case plan.OpRemoveLeftovers:
		return "cleaned (" + step.Reason + ")"
	case plan.OpRemoveOtherArch, plan.OpUnlink:
		return "removed (" + step.Reason + ")"
	}
	return string(step.Op)
}

// seconds returns how long something took, "" if it was too short for anybody to wait.
func seconds(took time.Duration) string {
	if took < time.Second {
		return ""
	}
	return fmt.Sprintf(" (%.0f s)", took.Seconds())
}
