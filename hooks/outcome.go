package hooks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// begin tells of work that takes its time.
func (r *Report) begin(t plan.Task, number, of int) {
	for _, step := range t.Steps {
		if step.Op == plan.OpBuild {
			r.say("building %s (%d of %d): %s", t.Module, number, of, step.Reason)
		}
		if step.Op == plan.OpReplace {
			r.say("building %s anew (%d of %d): %s", t.Module, number, of, step.Reason)
		}
	}
}

// end tells what came of a task: success at once, failure at the end.
func (r *Report) end(res apply.Result, took time.Duration) {
	m := res.Task.Module
	switch res.Outcome {
	case apply.Done:
		last := res.Task.Steps[len(res.Task.Steps)-1]
		r.say("%s: %s%s", m, done(last), seconds(took))
		for _, note := range res.Notes {
			r.atEnd("warning: %s is installed for %s, but %s", m, r.kernel, note)
		}
		r.notSigned(m.String(), res.Unsigned)
	case apply.Again:
		r.say("%s: failed beside others; it is built once more after those that come before it", m)
	case apply.Skipped:
		r.trouble(dkmsstate.LastSkipped, m.String(), res.Err.Error())
	case apply.Failed:
		if errors.Is(res.Err, context.Canceled) {
			return // it was not begun; the interruption is reported once, at the end
		}
		r.trouble(dkmsstate.LastFailed, m.String(), res.Err.Error())
		if res.Log != "" {
			r.atEnd("  log: %s", res.Log)
		}
		if res.NoLog != nil {
			r.atEnd("  no log: %v", res.NoLog)
		}
		switch last := res.Task.Steps[len(res.Task.Steps)-1]; {
		case res.Need != "":
			r.atEnd("  next, when %s is installed: dkms-hooks run postinst %s", res.Need, r.kernel)
		case last.Op == plan.OpReplace:
			r.atEnd("  the old build stays as it is; next, when that is mended: dkms-hooks run postinst %s", r.kernel)
		case res.Task.Installs():
			r.atEnd("  next: dkms install %s -k %s", m, r.kernel)
		case last.Op == plan.OpRemoveBuild:
			r.atEnd("  next: dkms-hooks run prerm %s --params remove", r.kernel)
		default:
			r.atEnd("  next, when that is mended: dkms-hooks reconcile")
		}
	}
}

// notSigned notes a module that was built and is not signed, for the end.
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

func done(step plan.Step) string {
	switch step.Op {
	case plan.OpInstall:
		return "installed"
	case plan.OpReplace:
		return "built anew and installed"
	case plan.OpRestore:
		return "installed again, " + step.Reason
	case plan.OpRemoveBuild:
		return "unbuilt, " + step.Reason
	case plan.OpCompress:
		return "compressed, " + step.Reason
	case plan.OpRemoveLeftovers:
		return "tidied, " + step.Reason
	case plan.OpRemoveOtherArch, plan.OpUnlink:
		return "removed, " + step.Reason
	}
	return string(step.Op)
}

// seconds is for work that somebody may have waited for.
func seconds(took time.Duration) string {
	if took < time.Second {
		return ""
	}
	return fmt.Sprintf(" (%.0f s)", took.Seconds())
}
