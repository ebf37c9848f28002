package dkmsstate

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"

	"dkms-hooks/dkmsstate/regular"
	"dkms-hooks/dkmsstate/sentinel"
)

// Cause is the kind of a failure, as far as it decides when to try again.
type Cause string

// A compiler's error about the module's source comes again as long as that and the headers
// are the same; what ran into the time limit most likely does. Everything else may have
// been a tool, a library, memory, a disk or a network that was missing.
const (
	CauseOther    Cause = ""
	CauseCompiler Cause = "compiler"
	CauseTimeout  Cause = "timeout"
)

// errTimeout says that a call was ended since it took too long.
const errTimeout = sentinel.Error("the limit for one call")

// causeOf returns the cause of a failure whose log is in a file.
func causeOf(err error, log string) Cause {
	if errors.Is(err, errTimeout) {
		return CauseTimeout
	}
	var call *CallError
	if !errors.As(err, &call) || call.Program != "dkms" || call.Code < 0 {
		return CauseOther
	}
	file, openErr := regular.Open(log)
	if openErr != nil {
		return CauseOther
	}
	defer file.Close()
	return readCause(file)
}

// notSigned ends what dkms prints when it cannot sign, which is no failure.
const notSigned = "modules won't be signed"

// readCause reads a compiler's output. One sign of anything that is missing is enough for
// CauseOther.
func readCause(log io.Reader) Cause {
	compiler := regexp.MustCompile(`^[^\s:][^:]*:\d+(:\d+)?: error: `)
	missing := regexp.MustCompile(`(?i)no such file or directory|not found|cannot find|no space left|cannot allocate memory|out of memory|` +
		`internal compiler error|\bkilled\b|segmentation fault|cannot execute|permission denied|read-only file system|input/output error|` +
		`missing separator|modpost: .* undefined|error 12[67]\b|command not|could not resolve|timed out|connection (refused|reset|timed out)|please install|unrecognized command`)
	found := CauseOther
	progress := regexp.MustCompile(`^\s+[A-Z]{2,}( \[M\])? +\S+$`) // of kbuild: CC [M] file
	lines := bufio.NewScanner(io.LimitReader(log, maxLog))
	lines.Buffer(nil, maxLog)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case progress.MatchString(line) || strings.Contains(line, notSigned):
		case missing.MatchString(line):
			return CauseOther
		case compiler.MatchString(strings.TrimSpace(line)):
			found = CauseCompiler
		}
	}
	return found
}
