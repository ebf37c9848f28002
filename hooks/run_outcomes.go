package hooks

import (
	"context"
	"errors"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/apply"
	"dkms-hooks/dkmsstate/plan"
)

// outcomes are what became of modules in a run, by MODULE/VERSION or the path of a file.
type outcomes map[string]dkmsstate.Last

// note notes what became of a module.
func (o outcomes) set(module string, result dkmsstate.LastResult, text, log string) {
	o[module] = dkmsstate.Last{Result: result, Text: inOneLine(text), When: time.Now().Truncate(time.Second), Log: log}
}

// result notes how a task ended that installs a module or did not end well. One that was
// interrupted before it began is none.
func (o outcomes) addResult(res apply.Result) {
	module := res.Task.Module.String()
	switch {
	case res.Outcome == apply.Done && res.Task.Installs():
		o.set(module, dkmsstate.LastInstalled, doneText(res.Task.Steps[len(res.Task.Steps)-1]), res.Log)
		o.amend(module, func(last *dkmsstate.Last) { last.Took = res.Took })
	case res.Outcome == apply.Skipped:
		o.set(module, dkmsstate.LastSkipped, res.Err.Error(), res.Log)
	case res.Outcome == apply.Failed && !errors.Is(res.Err, context.Canceled):
		o.set(module, dkmsstate.LastFailed, res.Err.Error(), res.Log)
		o.amend(module, func(last *dkmsstate.Last) { last.Cause = res.Cause })
	}
}

// plan notes what a plan does nothing about. Of a module that waits for headers and has an
// old build, it counts that the old build stays.
func (o outcomes) addPlan(p plan.Plan) {
	for _, m := range p.NeedHeaders {
		o.set(m.String(), dkmsstate.LastWaiting, waitsForHeaders, "")
	}
	for _, n := range p.Broken {
		if _, waits := o[n.Module]; waits {
			o.set(n.Module, dkmsstate.LastLeft, n.Text, "")
		}
	}
}

// notes notes what is reported of a plan.
func (o outcomes) addNotes(p plan.Plan) {
	for _, n := range p.Broken {
		o.set(n.Module, kindOf(n), n.Text, "")
	}
}

// kindOf returns what a note makes of its module.
func kindOf(n plan.Note) dkmsstate.LastResult {
	switch {
	case n.Skipped:
		return dkmsstate.LastSkipped
	case n.Left:
		return dkmsstate.LastLeft
	}
	return dkmsstate.LastFailed
}

// amend adds to what is noted of a module.
func (o outcomes) amend(module string, change func(last *dkmsstate.Last)) {
	last := o[module]
	change(&last)
	o[module] = last
}
