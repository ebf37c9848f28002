package hooks

import (
	"context"
	"errors"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/record"
)

// Event is one thing that a run decided or did.
type Event record.Event

// History returns what runs decided and did, the oldest first: for the kernel of the invocation
// and for a module, NAME or NAME/VERSION, as far as they are given.
func History(inv Invocation, module string) ([]Event, error) {
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	all, err := record.ReadHistory(layout)
	module = WithoutControls(module) // as it is kept
	var events []Event
	for _, e := range all {
		name, _, _ := strings.Cut(e.Module, "/")
		if (inv.Kernel == "" || e.Kernel == inv.Kernel) && (module == "" || e.Module == module || name == module) {
			events = append(events, Event(e))
		}
	}
	return events, err
}

// Caller describes who called the hook or the command.
func (e Event) Caller() string {
	var words []string
	add := func(value string, around ...string) {
		if value != "" {
			words = append(words, strings.Join(around, "")+value)
		}
	}
	add(e.Hook)
	if e.Script != "" {
		add(e.Script, "by the ")
		add(e.Package, "of ")
		if e.Action != "" {
			words = append(words, "("+e.Action+")")
		}
		return strings.Join(words, " ")
	}
	if e.Hook == remindCommand {
		return e.Hook
	}
	add("by hand")
	add(e.User, "by ")
	return strings.Join(words, " ")
}

// remember adds an event to the history and to the journal, with who caused it. The history is
// not worth a failure.
func remember(layout dkmsstate.Layout, inv Invocation, e Event) {
	e.When, e.Kernel, e.Module, e.Text = time.Now().Truncate(time.Second), inv.Kernel, WithoutControls(e.Module), inOneLine(e.Text)
	e.Script, e.Package, e.Action = WithoutControls(inv.Script.Name), WithoutControls(inv.Script.Package), WithoutControls(inv.Action.Raw)
	if e.Script == "" {
		e.User = WithoutControls(environment(inv.Environ)["SUDO_USER"])
	}
	_ = record.AppendHistory(layout, record.Event(e))
	writeJournal(layout, e)
}

// remember adds what the run decided, or what it did with a module.
func (r *run) remember(module, did, text string) {
	remember(r.machine.Layout, r.inv, Event{Module: module, Did: did, Text: text, Hook: string(r.inv.Hook)})
}

// rememberResult adds how a task ended.
func (r *run) rememberResult(res apply.Result) {
	module := res.Task.Module.String()
	last := res.Task.Steps[len(res.Task.Steps)-1]
	switch {
	case res.Outcome == apply.Done && last.Op == plan.OpInstall && res.Task.Builds():
		r.remember(module, "installed", "built and installed: "+res.Task.Steps[0].Reason)
	case res.Outcome == apply.Done:
		r.remember(module, taskWord(last.Op), last.Reason)
	case res.Outcome == apply.Skipped:
		r.remember(module, "skipped", res.Err.Error())
	case res.Outcome == apply.Failed && !errors.Is(res.Err, context.Canceled):
		r.remember(module, "failed", res.Err.Error())
	}
}

// taskWord returns what was done with a module by a step.
func taskWord(op plan.Op) string {
	switch op {
	case plan.OpInstall:
		return "installed"
	case plan.OpReplace:
		return "rebuilt"
	case plan.OpRestore:
		return "restored"
	case plan.OpRemoveBuild:
		return "removed"
	case plan.OpCompress:
		return "compressed"
	}
	return "cleaned"
}
