package hooks

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/plan"
)

// Report is what a hook prints, on stderr, since debconf may own stdout. Every line begins with
// the program's name and continues in lower case, without a full stop.
//
// For a person, the first line is the verdict with its reason. A line follows for each module
// that changes, as soon as it has changed, and one for depmod if it runs for a reason of its
// own.
//
// Under dpkg the report is brief, and every line names the kernel. Nothing is printed if
// nothing changes. One line is printed when builds begin and one when they have ended, besides
// what is unusual. The verdict is printed only with advice for a user who expected another one.
//
// What failed is printed at once, and what to do about it at the end. A quiet report contains
// nothing else.
type Report struct {
	out          *Printable
	quiet, brief bool
	kernel       dkmsstate.Release
	// inv turns commands into those for the root.
	inv Invocation
	// heading prints the first line, if that is printed only before another one. It is nil
	// once the line is printed.
	heading func()
	// last are the lines for the end.
	last []string
	// logs are the modules that failed and have a log.
	logs []string
	// next is what to do about what went wrong, each once.
	next []string
	// unsigned are the modules that were built and not signed, by reason.
	unsigned map[string][]string
	// ended are the modules of a brief report, by what was done with them.
	ended map[string][]string
	// since is when the builds began.
	since time.Time
	// advice returns the very last line. It runs programs of other packages, which is not
	// done under the lock.
	advice func() string
	// mu serializes the lines and the progress line.
	mu sync.Mutex
	// drawn reports whether the progress line is on the screen.
	drawn bool
}

func newReport(out io.Writer, inv Invocation) *Report {
	return &Report{out: ForPeople(out), quiet: inv.Quiet, brief: inv.Script.Name != "" && !inv.Verbose, kernel: inv.Kernel, inv: inv}
}

// infof prints a line, unless the report is quiet.
func (r *Report) infof(format string, args ...any) { r.line(!r.quiet, format, args...) }

// warnf prints a line about a problem, even if the report is quiet.
func (r *Report) warnf(format string, args ...any) { r.line(true, format, args...) }

func (r *Report) line(visible bool, format string, args ...any) {
	r.printHeading()
	if !visible {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	text := inOneLine(fmt.Sprintf(format, args...))
	if r.brief && r.kernel != "" && !strings.Contains(text, string(r.kernel)) && !strings.HasPrefix(text, " ") {
		text = string(r.kernel) + ": " + text
	}
	Sayf(r.out, "%s", text)
}

// printHeading prints the heading, once.
func (r *Report) printHeading() {
	if heading := r.heading; heading != nil {
		r.heading = nil
		heading()
	}
}

// draw draws the progress line below the other lines, in place of the one before.
func (r *Report) draw(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.erase()
	if r.drawn = line != ""; r.drawn {
		fmt.Fprint(r.out, line)
	}
}

// erase erases the progress line; "\x1b[K" clears the line from the cursor on.
func (r *Report) erase() {
	if r.drawn {
		r.out.Control("\r\x1b[K")
	}
	r.drawn = false
}

// atEndf keeps a line for the end of the report.
func (r *Report) atEndf(format string, args ...any) {
	r.last = append(r.last, fmt.Sprintf(format, args...))
}

// trouble prints what is wrong with a module. recorded reports whether the whole text is in the
// log or the record, so that the line may be shortened.
func (r *Report) trouble(kind dkmsstate.LastResult, module, text string, recorded bool) {
	line := troubleText(kind, module, r.kernel, text)
	if recorded {
		line = r.shorten(line)
	}
	r.warnf("%s", line)
}

// shorten shortens a line of a brief report.
func (r *Report) shorten(text string) string {
	if !r.brief {
		return text
	}
	return shorten(text)
}

// shorten returns a text in one line of at most 120 columns.
func shorten(text string) string {
	const columns = 120 - len("dkms-hooks: ")
	text = inOneLine(text)
	if runes := []rune(text); len(runes) > columns {
		return string(runes[:columns-2]) + " …"
	}
	return text
}

func troubleText(kind dkmsstate.LastResult, module string, kernel dkmsstate.Release, text string) string {
	return fmt.Sprintf("%s: %s for %s: %s", kind, module, kernel, text)
}

// flush prints what was kept for the end.
func (r *Report) flush() {
	r.summary()
	for _, line := range r.last {
		r.warnf("%s", line)
	}
	r.last = nil
	switch len(r.logs) {
	case 0:
	case 1:
		r.warnf("  log: %s", r.inv.logCommand(r.kernel, r.logs[0]))
	default:
		r.warnf("  logs: %s", r.inv.logCommand(r.kernel, ""))
	}
	for _, advice := range r.next {
		r.warnf("  next: %s", advice)
	}
	r.logs, r.next = nil, nil
	for _, reason := range slices.Sorted(maps.Keys(r.unsigned)) {
		modules := r.unsigned[reason]
		slices.Sort(modules)
		r.warnf("not signed: %s for %s: %s", strings.Join(modules, ", "), r.kernel, reason)
		r.warnf("  next: fix this, unbuild them with dkms(8), then run: %s", r.inv.runPostinst(r.kernel))
	}
	r.unsigned = nil
}

// announce prints, in a brief report, which modules of a plan are built, and which are rebuilt
// and why.
func (r *Report) announce(p plan.Plan) {
	r.since = time.Now()
	if !r.brief {
		return
	}
	var built []string
	rebuilt := map[string][]string{} // by reason
	for _, t := range p.Tasks {
		for _, step := range t.Steps {
			switch step.Op {
			case plan.OpBuild:
				built = append(built, t.Module.String())
			case plan.OpReplace:
				rebuilt[step.Reason] = append(rebuilt[step.Reason], t.Module.String())
			}
		}
	}
	if len(built) > 0 {
		r.infof("building %s", moduleList(built))
	}
	for _, reason := range slices.Sorted(maps.Keys(rebuilt)) {
		r.infof("rebuilding %s: %s", moduleList(rebuilt[reason]), reason)
	}
}

// summary prints what was done with modules since announce.
func (r *Report) summary() {
	var parts []string
	for _, did := range slices.Sorted(maps.Keys(r.ended)) {
		parts = append(parts, did+" "+moduleList(r.ended[did]))
	}
	if len(parts) > 0 {
		r.infof("%s%s", strings.Join(parts, ", "), seconds(time.Since(r.since)))
	}
	r.ended = nil
}

// moduleList returns the names of modules, or their number if there are many.
func moduleList(modules []string) string {
	const few = 3
	if len(modules) > few {
		return fmt.Sprintf("%d modules", len(modules))
	}
	return strings.Join(modules, ", ")
}

// troubles prints what could not be read. The mistakes of the configuration are for a person;
// under dpkg the notice has them.
func (r *Report) troubles(sys system) {
	for _, trouble := range sys.troubles {
		r.warnf("%s", trouble)
	}
	if r.brief {
		return
	}
	for _, mistake := range sys.config.Mistakes {
		r.warnf("%s: %s", mistake.File, mistakeText(mistake))
	}
}

// loggedError is an error of a program whose output is in a log of the kernel, by its name.
type loggedError struct {
	error
	log string
}

// Unwrap returns the error.
func (e loggedError) Unwrap() error { return e.error }

// runFailed prints the error that ended the work, and the command for the root to run once it is fixed.
func (r *Report) runFailed(err error, command string) {
	r.warnf("failed: %v", err)
	var logged loggedError
	if errors.As(err, &logged) {
		r.warnf("  log: %s", r.inv.logCommand(r.kernel, logged.log))
	}
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		r.warnf("  next: run as root: %s", command)
		return
	}
	r.warnf("  next: %s", fixThenRun(command))
}

// close prints the advice. It is called after flush and without the lock.
func (r *Report) close() {
	if r.advice != nil {
		r.warnf("  next: %s", r.advice())
	}
	r.advice = nil
}

// decision prints the verdict. A brief report prints it only with its hint.
func (r *Report) decision(hook Hook, d Decision) {
	if r.brief && d.Hint == "" {
		return
	}
	r.infof("%s %s: %s: %s", hook, r.kernel, d.Verdict, d.Reason)
	if d.Hint != "" {
		r.infof("%s", d.Hint)
	}
}

// advise keeps what to do for the end.
func (r *Report) advise(advice string) {
	if !slices.Contains(r.next, advice) {
		r.next = append(r.next, advice)
	}
}
