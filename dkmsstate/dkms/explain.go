package dkms

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// NotMeant returns why dkms does not want a module on a kernel, or "" if err is not about that,
// and the kind of the reason: BUILD_EXCLUSIVE (exit status 77, 9 before dkms 3.0.11), a module of the
// same or a newer version in the kernel itself or OBSOLETE_BY (dkms 3.2 exits with 6,
// check_version_sanity), or a LeftOut.
//
// An exit status alone proves nothing: dkms 3.1.7 and later exit with that of a PRE_BUILD script
// (run_build_script), and a configure script of autoconf exits with 77 if there is no compiler.
func NotMeant(err error) (string, dkmsstate.Cause) {
	var left LeftOut
	if errors.As(err, &left) {
		return left.Error(), dkmsstate.CauseTaken
	}
	var call *CallError
	if !errors.As(err, &call) || call.Program != "dkms" {
		return "", dkmsstate.CauseOther
	}
	switch call.Code {
	case 77, 9:
		if strings.Contains(lastMessage(call.Output), "BUILD_EXCLUSIVE directive") {
			return dkmsstate.ExcludedText, dkmsstate.CauseExcluded
		}
	case 6:
		contains := func(text string) bool { return strings.Contains(call.Output, text) }
		switch {
		case contains("has been obsoleted due to being included") && !contains("already"): // found, or installed
			return "its dkms.conf says that this kernel contains it (OBSOLETE_BY)", dkmsstate.CauseExcluded
		case contains("is not newer than what is already found"), contains("override by specifying --force"):
			return "the kernel contains this module in the same version or a newer one", dkmsstate.CauseInKernel
		}
	}
	return "", dkmsstate.CauseOther
}

// Lacks returns a module that a build needs and without which dkms refused to begin it, "" for none
// (BUILD_DEPENDS, dkms 3.1 and later).
func Lacks(err error) string {
	var call *CallError
	if !errors.As(err, &call) || call.Program != "dkms" {
		return ""
	}
	_, names, _ := strings.Cut(lastMessage(call.Output), "due to missing BUILD_DEPENDS: ")
	name, _, _ := strings.Cut(names, "\n")
	name, _, _ = strings.Cut(strings.TrimSuffix(name, "."), " ")
	return name
}

// lastMessage returns the last message of dkms in its output, an error or a warning, "" for none.
func lastMessage(output string) string {
	begin := max(strings.LastIndex(output, "Error!"), strings.LastIndex(output, "Warning:"))
	if begin < 0 {
		return ""
	}
	return output[begin:]
}

// explained is an error of a call with a line of the log that explains it.
type explained struct {
	err  error
	text string
}

// Error returns the line of the log.
func (e explained) Error() string { return e.text }

// Unwrap returns the error of the call.
func (e explained) Unwrap() error { return e.err }

// inSource shortens the path of a file below MODULE/VERSION/build at the beginning of a line.
func inSource(line string) string {
	const build = "/build/"
	path, _, _ := strings.Cut(line, " ")
	if i := strings.LastIndex(path, build); i >= 0 && strings.HasPrefix(path, "/") {
		return line[i+len(build):]
	}
	return line
}

// Explain adds the last message of the program to the error of a failed call.
func Explain(err error) error { return ExplainByLog(err, "") }

// ExplainByLog returns an error with the line that explains a failed call best: the compiler's
// first error in the log, or else the call with the last message of dkms or the error of another
// program.
func ExplainByLog(err error, log string) error {
	var call *CallError
	if !errors.As(err, &call) || call.Code < 0 {
		return err
	}
	if line := firstError(log); line != "" {
		return explained{err, inSource(line)}
	}
	line := toolsError(call.Output)
	if call.Program == "dkms" {
		line = lastWords(call.Output)
	}
	if line == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, line)
}

// firstError returns the line of a log that tells most about a failure, "" for none: the first
// error of a compiler, else of a script or a vendor's Makefile, else of make.
func firstError(log string) string {
	file, err := regular.Open(log)
	if err != nil {
		return ""
	}
	defer file.Close()
	signs := errorSigns()
	found := make([]string, len(signs))
	lines := bufio.NewScanner(io.LimitReader(file, dkmsstate.MaxLog))
	lines.Buffer(nil, dkmsstate.MaxLog)
	for lines.Scan() && found[0] == "" {
		for i, sign := range signs {
			if found[i] == "" && sign(lines.Text()) {
				found[i] = dkmsstate.OneLine(lines.Text())
			}
		}
	}
	for _, line := range found {
		if line != "" {
			return line
		}
	}
	return ""
}

// errorSigns report whether a line of a log is an error, what tells most first.
func errorSigns() []func(line string) bool {
	contains := func(parts ...string) func(string) bool {
		return func(line string) bool {
			return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(line, part) })
		}
	}
	compiler := regexp.MustCompile(`^[^\s:][^:]*:\d+(:\d+)?: (fatal )?[Ee]rror: `) // the assembler's has a capital
	failed := contains("error:", "Error: ", "error[E", "fatal:", "undefined reference to ", "out of memory")
	made := regexp.MustCompile(`^make(\[\d+\])?: \*\*\*`)
	warning := regexp.MustCompile(`warning:|^\s*\d+ \|`) // or the line of the source that is printed below one
	return []func(string) bool{
		func(line string) bool { return compiler.MatchString(strings.TrimSpace(line)) },
		func(line string) bool { return failed(line) && !warning.MatchString(line) },
		func(line string) bool {
			return strings.HasPrefix(strings.TrimSpace(line), "ERROR") || contains("command not found", ": not found", "No such file or directory", "Permission denied", "Killed")(line)
		},
		func(line string) bool {
			return contains("*** ")(line) && (strings.HasSuffix(line, "Stop.") || strings.HasSuffix(line, " ***"))
		},
		func(line string) bool { return strings.HasPrefix(line, "make: ***") },
		func(line string) bool { return made.MatchString(line) },
	}
}

// lastWords returns the text after the last "Error!" of dkms, or else that a script failed (dkms 3.1.7
// and later end without a message then), or else the last line.
func lastWords(output string) string {
	if i := strings.LastIndex(output, "Error!"); i >= 0 {
		return dkmsstate.OneLine(sentence(output[i+len("Error!"):]))
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	for _, line := range slices.Backward(lines) {
		if strings.Contains(line, "(bad exit status: ") {
			return dkmsstate.OneLine(strings.TrimSpace(line))
		}
	}
	return dkmsstate.OneLine(lines[len(lines)-1])
}

// sentence returns the first sentence of a message. dkms prints a long one in several lines.
func sentence(message string) string {
	lines := strings.Split(strings.TrimSpace(message), "\n")
	end := 1
	for end < len(lines) && lines[end] != "" && lines[end][0] >= 'a' && lines[end][0] <= 'z' {
		end++
	}
	return strings.Join(lines[:end], " ")
}

// toolsError returns the line that tells most about the failure of a program other than dkms, such as
// update-initramfs(8): a full filesystem, else its last error, else the last line. Programs that called
// the one that failed say so after it.
func toolsError(output string) string {
	closing := regexp.MustCompile(`^(E: \S+ failed with return \d+\.|E: mkinitramfs failure .*|update-initramfs: failed for .* with \d+\.|run-parts: .* exited with return code \d+)$`)
	hidden := regexp.MustCompile(`^(W:|I:|update-initramfs: Generating )`)
	signs := []func(line string) bool{
		func(line string) bool { return strings.Contains(line, "No space left on device") },
		func(line string) bool {
			return !closing.MatchString(line) && (strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "dracut[E]: ") || strings.HasPrefix(line, "dracut[F]: "))
		},
		func(line string) bool { return !closing.MatchString(line) && !hidden.MatchString(line) },
		func(line string) bool {
			return closing.MatchString(line) && !strings.HasPrefix(line, "update-initramfs: ")
		},
		func(string) bool { return true },
	}
	lines := strings.Split(strings.TrimSpace(output), "\n")
	slices.Reverse(lines)
	for _, sign := range signs {
		if i := slices.IndexFunc(lines, func(line string) bool { return sign(strings.TrimSpace(line)) }); i >= 0 {
			return dkmsstate.OneLine(strings.TrimSpace(lines[i]))
		}
	}
	return ""
}

// LeftOut is why a module was not installed although nothing failed.
type LeftOut string

// Error returns the reason.
func (l LeftOut) Error() string { return string(l) }
