package apply

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkms"
	"dkms-hooks/dkmsstate/regular"
)

// causeOf returns the cause of a failure. log is the path of its log.
func causeOf(err error, log string) dkmsstate.Cause {
	if errors.Is(err, dkms.ErrTimeout) {
		return dkmsstate.CauseTimeout
	}
	var call *dkms.CallError
	if !errors.As(err, &call) || call.Program != "dkms" || call.Code < 0 {
		return dkmsstate.CauseOther
	}
	file, openErr := regular.Open(log)
	if openErr != nil {
		return dkmsstate.CauseOther
	}
	defer file.Close()
	return readCause(file)
}

// notSigned reports whether a line is a message of dkms that it cannot sign, which is not a
// failure. Version 3.2 and later end it otherwise.
func notSigned(line string) bool {
	return strings.Contains(line, "modules won't be signed") || strings.Contains(line, "can't generate key and certificate")
}

// readCause determines the cause from the output of a compiler. One sign that something is
// missing is enough for CauseOther.
func readCause(log io.Reader) dkmsstate.Cause {
	compiler := regexp.MustCompile(`^[^\s:][^:]*:\d+(:\d+)?: error: `)
	missing := regexp.MustCompile(`(?i)no such file or directory|not found|cannot find|no space left|cannot allocate memory|out of memory|` +
		`internal compiler error|\bkilled\b|segmentation fault|cannot execute|permission denied|read-only file system|input/output error|` +
		`missing separator|modpost: .* undefined|error 12[67]\b|command not|could not resolve|timed out|connection (refused|reset|timed out)|please install|unrecognized command`)
	found := dkmsstate.CauseOther
	progress := regexp.MustCompile(`^\s+[A-Z]{2,}( \[M\])? +\S+$`) // of kbuild: CC [M] file
	lines := bufio.NewScanner(io.LimitReader(log, dkmsstate.MaxLog))
	lines.Buffer(nil, dkmsstate.MaxLog)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case progress.MatchString(line) || notSigned(line):
		case missing.MatchString(line):
			return dkmsstate.CauseOther
		case compiler.MatchString(strings.TrimSpace(line)):
			found = dkmsstate.CauseCompiler
		}
	}
	return found
}
