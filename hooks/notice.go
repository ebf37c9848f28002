package hooks

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// remindCommand is what runs at the end of dpkg, by no maintainer script and nobody's hand.
const remindCommand = "remind"

// Remind prints what is wrong with the modules of the running kernel and of those that may boot
// next, and updates the notice. dkms-hooks remind runs it at the end of each run of dpkg.
func Remind(ctx context.Context, inv Invocation, stderr io.Writer) int {
	sys := withRecord(inv)
	found, change := renewNotice(ctx, inv, sys, remindCommand)
	if change == rebootReleased {
		Sayf(stderr, "%s", rebootReleasedText)
	}
	_ = record.WriteNotice(sys.layout, found.inside(inv)) // the next run writes it again
	fmt.Fprint(stderr, found.text(inv))
	return StatusOK
}

// updateNotice updates the notice after a person's command.
func updateNotice(ctx context.Context, inv Invocation, sys system, report *Report) {
	inv.resetDatabase()
	found, change := renewNotice(ctx, inv, sys, string(inv.Hook))
	switch change {
	case rebootHeldNow:
		report.warnf("%s", rebootHeldText)
	case rebootReleased:
		report.infof("%s", rebootReleasedText)
	}
	if err := record.WriteNotice(sys.layout, found.inside(inv)); err != nil {
		report.warnf("%v", err)
	}
}

// Summarize prints how many things are wrong with the machine, and nothing if there are none.
func Summarize(ctx context.Context, inv Invocation, stderr io.Writer) int {
	o, err := ReadOverview(ctx, inv)
	if err != nil {
		return StatusOK // reconcile has printed it
	}
	if len(o.Findings) > 0 {
		Sayf(stderr, "problems found on this machine: %d; to list them: %s", len(o.Findings), inv.Command("dkms-hooks check"))
	}
	return StatusOK
}

// renewNotice returns warnings about what is wrong at the next boot, and holds or releases a reboot.
// The compiler's error is not repeated: the run that failed has printed it. command is the one that
// is run.
func renewNotice(ctx context.Context, inv Invocation, sys system, command string) (notice, holdChange) {
	a := newAssessor(ctx, inv, sys)
	a.readsInitramfs = true
	o, err := a.bootOverview()
	if err != nil { // what is held stays so
		return notice{lines: []string{err.Error()}}, holdUnchanged
	}
	change, err := a.holdReboot(&o, command)
	lines := noticeLines(a.boot, sys.layout, o.Findings)
	if o.RebootHeld != nil {
		lines = append(lines, o.RebootHeld.notice())
	}
	if err != nil {
		lines = append(lines, err.Error())
	}
	return notice{lines, signatureFixes(o.Findings)}, change
}

// notice is what is wrong at the next boot, in lines, and what is to be done about it.
type notice struct{ lines, fixes []string }

// inside returns the text for those who read it inside the root, at login. The commands of fixes
// are for a shell outside of it.
func (n notice) inside(inv Invocation) string {
	if inv.elsewhere() {
		return notice{lines: n.lines}.text(Invocation{})
	}
	return n.text(inv)
}

// text returns warnings with what to do, "" without any.
func (n notice) text(inv Invocation) string {
	if len(n.lines) == 0 {
		return ""
	}
	var text strings.Builder
	for _, line := range n.lines {
		Sayf(&text, "%s", shorten("warning: "+line))
	}
	for _, fix := range n.fixes {
		Sayf(&text, "  fix: %s", fix)
	}
	Sayf(&text, "  next: %s", inv.Command("dkms-hooks status --boot"))
	return text.String()
}

// noticeLines returns a line for each thing that is wrong, or for several of the same kind.
func noticeLines(b boot, layout dkmsstate.Layout, findings []Finding) []string {
	modules := map[string][]string{}
	var lines []string
	for _, f := range findings {
		about := noticeLine(f, b.word(layout, f.Kernel))
		if f.Module == "" {
			lines = append(lines, f.Where()+about)
			continue
		}
		modules[about] = append(modules[about], f.Module)
	}
	for _, about := range slices.Sorted(maps.Keys(modules)) {
		lines = append(lines, moduleList(modules[about])+about)
	}
	return lines
}

// noticeLine returns what a line of the notice says behind the modules. which describes the
// kernel.
func noticeLine(f Finding, which string) string {
	on := fmt.Sprintf(" for %s (%s)", f.Kernel, which)
	if f.Kernel == "" || f.Module == "" {
		on = ""
	}
	switch {
	case f.Kind == Failed:
		return fmt.Sprintf(" failed%s on %s", on, f.Since.Format(time.DateOnly))
	case f.Kind == Forgotten && !f.Repairable:
		return ": not registered with dkms, and its package is not configured"
	case f.Kind == Forgotten:
		return ": not registered with dkms, although its package is installed"
	case f.Kind == Refused:
		return fmt.Sprintf(" will not load%s: %s", on, f.Reason)
	case f.Kind == Stale:
		return fmt.Sprintf(" not up to date%s: %s", on, f.Reason)
	case f.Kind == Missing && f.Reason == waitsForHeaders:
		return fmt.Sprintf(" not built%s: %s", on, f.Reason)
	case f.Kind == Missing || f.Kind == Required:
		return fmt.Sprintf(" not installed%s: %s", on, f.Reason)
	}
	return fmt.Sprintf("%s: %s", on, f.Reason)
}
