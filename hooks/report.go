package hooks

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// Report is what a hook says, on stderr since debconf may own stdout. Every
// line begins with the program's name, in lower case, without a full stop:
//
//   - first the verdict with its reason;
//   - then a line for each module that changes, as it does, and for depmod when
//     it runs for no such reason;
//   - last what failed, each once in a run of dpkg, with its log and the command
//     to try next.
//
// When nothing changes there is nothing but the verdict. When quiet, only what failed
// is said.
type Report struct {
	out    io.Writer
	quiet  bool
	kernel dkmsstate.Release
	// heading says the first line, when it is to be said only if another follows.
	heading func()
	// last are the lines that stand at the end, where a reader finds them.
	last []string
	// unsigned are the modules that were built and not signed, by the reason.
	unsigned map[string][]string
	// advice finds out the last line of all. It asks programs of others, which is not
	// done under the lock.
	advice func() string
	// mu keeps the living line and the others apart; drawn says that it is there.
	mu    sync.Mutex
	drawn bool
}

func newReport(out io.Writer, inv Invocation) *Report {
	return &Report{out: out, quiet: inv.Quiet, kernel: inv.Kernel}
}

// inOneLine keeps foreign text, such as what a dkms.conf cannot be parsed for, from
// breaking lines and from speaking to the terminal.
func inOneLine(text string) string { return oneLine(strings.ReplaceAll(text, "\n", "; ")) }

// say says a line that a quiet caller does not want to hear.
func (r *Report) say(format string, args ...any) { r.line(!r.quiet, format, args...) }

// tell says a line about something that failed.
func (r *Report) tell(format string, args ...any) { r.line(true, format, args...) }

func (r *Report) line(aloud bool, format string, args ...any) {
	r.begun()
	if !aloud {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	fmt.Fprintf(r.out, "dkms-hooks: %s\n", inOneLine(fmt.Sprintf(format, args...)))
}

// begun says the first line, once.
func (r *Report) begun() {
	if heading := r.heading; heading != nil {
		r.heading = nil
		heading()
	}
}

// draw puts a living line where the next line will stand.
func (r *Report) draw(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	if r.drawn = line != ""; r.drawn {
		fmt.Fprint(r.out, line)
	}
}

// erase takes the living line away; "\x1b[K" clears from the cursor on.
func (r *Report) erase() {
	if r.drawn {
		fmt.Fprint(r.out, "\r\x1b[K")
	}
	r.drawn = false
}

// atEnd keeps a line for the end of the report.
func (r *Report) atEnd(format string, args ...any) {
	r.last = append(r.last, fmt.Sprintf(format, args...))
}

// trouble tells at the end what is wrong with a module.
func (r *Report) trouble(kind dkmsstate.LastResult, module, text string) {
	r.atEnd("%s", troubleText(kind, module, r.kernel, text))
}

func troubleText(kind dkmsstate.LastResult, module string, kernel dkmsstate.Release, text string) string {
	return fmt.Sprintf("%s: %s for %s: %s", kind, module, kernel, text)
}

// flush says what was kept for the end.
func (r *Report) flush() {
	for _, line := range r.last {
		r.tell("%s", line)
	}
	r.last = nil
	for _, reason := range slices.Sorted(maps.Keys(r.unsigned)) {
		modules := r.unsigned[reason]
		slices.Sort(modules)
		r.tell("not signed: %s for %s: %s", strings.Join(modules, ", "), r.kernel, reason)
		r.tell("  to sign it after fixing this: dkms unbuild %s -k %s, then dkms-hooks run postinst %s", modules[0], r.kernel, r.kernel)
	}
	r.unsigned = nil
}

// close says, after flush, what takes other programs to find out, and how many troubles
// an earlier hook of the same run of dpkg told.
func (r *Report) close(standing int) {
	if r.advice != nil {
		r.tell("  next: %s", r.advice())
	}
	r.advice = nil
	if standing > 0 {
		r.tell("modules in trouble as told before: %d", standing)
	}
}

func (r *Report) decision(hook Hook, d Decision) {
	r.say("%s %s: %s: %s", hook, r.kernel, d.Verdict, d.Reason)
	if d.Hint != "" {
		r.say("%s", d.Hint)
	}
}

// plan tells what would be done, for --dry-run.
func (r *Report) plan(p plan.Plan, depmod bool) {
	if p.Empty() {
		r.say("nothing to do")
	}
	for _, step := range planned(p, depmod) {
		r.say("would %s", step)
	}
}

// planned returns what a plan does, a line for each step.
func planned(p plan.Plan, depmod bool) []string {
	var steps []string
	add := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	for _, t := range p.Tasks {
		for _, step := range t.Steps {
			add("%s %s: %s", step.Op, t.Module, step.Reason)
		}
	}
	for _, name := range p.Leftovers {
		add("remove what an interrupted run left: %s", name)
	}
	for _, name := range p.Unowned {
		add("remove %s, which dkms no longer knows, unless a package owns it", dkmsstate.InstalledPath(p.Kernel, name))
	}
	switch {
	case p.Depmod != "":
		add("run depmod: %s", p.Depmod)
	case depmod && len(p.Tasks) > 0:
		add("run depmod once, after these")
	}
	return steps
}

// notes tells, at the end, of modules that no step can help.
func (r *Report) notes(p plan.Plan, headers func() string) {
	lines, wantsHeaders := planNotes(p)
	for _, line := range lines {
		r.atEnd("%s", line)
	}
	if wantsHeaders {
		r.advice = headers
	}
}

// planNotes returns lines about modules that no step of a plan can help, and reports whether
// advice on how to get headers is to follow.
func planNotes(p plan.Plan) (lines []string, wantsHeaders bool) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	failed := false
	for _, n := range p.Broken {
		kind := kindOf(n)
		add("%s", troubleText(kind, n.Module, p.Kernel, n.Text))
		failed = failed || kind == dkmsstate.LastFailed
	}
	if failed {
		add("  next, when that is mended: dkms-hooks run postinst %s", p.Kernel)
	}
	if len(p.NeedHeaders) == 0 {
		return lines, false
	}
	var names []string
	for _, m := range p.NeedHeaders {
		names = append(names, m.String())
	}
	if p.Mismatch == "" {
		add("not built, the headers of %s are missing: %s", p.Kernel, strings.Join(names, ", "))
		return lines, true
	}
	add("not built, the headers of %s are not those of its image (%s): %s", p.Kernel, p.Mismatch, strings.Join(names, ", "))
	add("  next: install the headers that were made with the image; they are built then; %s", forceAdvice(p.Kernel))
	return lines, false
}
