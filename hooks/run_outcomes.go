package hooks

import (
	"context"
	"errors"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// outcomes are what became of modules in a run, by MODULE/VERSION or by the path of a file.
type outcomes map[string]dkmsstate.Last

// set sets the outcome of a module.
func (o outcomes) set(module string, result dkmsstate.LastResult, text, log string) {
	o[module] = dkmsstate.Last{Result: result, Text: inOneLine(text), When: time.Now().Truncate(time.Second), Log: log}
}

// addResult adds the result of a task that installed a module, was skipped, or failed. A task
// that was interrupted before it began has no outcome.
func (o outcomes) addResult(res apply.Result) {
	module := res.Task.Module.String()
	switch {
	case res.Outcome == apply.Done && res.Task.Installs():
		o.set(module, dkmsstate.LastInstalled, doneText(res.Task.Steps[len(res.Task.Steps)-1]), res.Log)
		o.amend(module, func(last *dkmsstate.Last) { last.Took = res.Took })
	case res.Outcome == apply.Skipped:
		o.set(module, dkmsstate.LastSkipped, res.Err.Error(), res.Log)
		o.amend(module, func(last *dkmsstate.Last) { last.Cause = res.Cause })
	case res.Outcome == apply.Failed && !errors.Is(res.Err, context.Canceled):
		o.set(module, dkmsstate.LastFailed, res.Err.Error(), res.Log)
		o.amend(module, func(last *dkmsstate.Last) { last.Cause = res.Cause })
	}
}

// addPlan adds the modules that a plan does nothing about since they wait for headers or for
// another module. If one that waits for headers keeps an old build, that is its outcome.
func (o outcomes) addPlan(p plan.Plan) {
	for _, m := range p.NeedHeaders {
		o.set(m.String(), dkmsstate.LastWaiting, waitsForHeaders, "")
	}
	for _, n := range p.Broken {
		if _, waits := o[n.Module]; waits {
			o.set(n.Module, dkmsstate.LastLeft, n.Text, "")
		}
		if n.Waits {
			o.set(n.Module, dkmsstate.LastWaiting, n.Text, "")
		}
	}
}

// addNotes adds the problems that are reported of a plan.
func (o outcomes) addNotes(p plan.Plan) {
	for _, n := range p.Broken {
		o.set(n.Module, kindOf(n), n.Text, "")
		if n.Skipped {
			o.amend(n.Module, func(last *dkmsstate.Last) { last.Cause = dkmsstate.CauseTaken })
		}
	}
}

// kindOf returns the result that a note stands for.
func kindOf(n plan.Note) dkmsstate.LastResult {
	switch {
	case n.Skipped:
		return dkmsstate.LastSkipped
	case n.Left:
		return dkmsstate.LastLeft
	case n.Waits:
		return dkmsstate.LastWaiting
	}
	return dkmsstate.LastFailed
}

// amend changes the outcome of a module.
func (o outcomes) amend(module string, change func(last *dkmsstate.Last)) {
	last := o[module]
	change(&last)
	o[module] = last
}
