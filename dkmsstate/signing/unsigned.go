package signing

import (
	"bufio"
	"io"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// UnsignedReason returns why dkms did not sign a module according to a log, or "" if the log
// does not show it. The lines are those of prepare_signing, prepare_mok and do_build in dkms
// 3.0 to 3.2, and of the kernel's sign-file, whose errors dkms 3.0 does not suppress.
func UnsignedReason(log string) string {
	file, err := regular.Open(log)
	if err != nil {
		return ""
	}
	defer file.Close()
	reason, failed := "", false
	lines := bufio.NewScanner(io.LimitReader(file, dkmsstate.MaxLog))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasSuffix(line, "modules won't be signed"), strings.Contains(line, "can't generate key and certificate"):
			reason = strings.TrimSuffix(line, ".")
		case strings.Contains(line, "Failed to sign module"), strings.HasPrefix(line, "At main.c:"):
			failed = true
		case strings.HasPrefix(line, "- SSL error:"):
			// - SSL error:CODE:LIBRARY::REASON: FILE:LINE, the last one is the most informative
			_, text, _ := strings.Cut(line, "::")
			text, _, _ = strings.Cut(text, ": ")
			reason = "sign-file failed: " + text
		case reason == "" && (strings.HasPrefix(line, "sign-file: ") || strings.HasPrefix(line, "kmodsign: ")):
			reason = line
		}
	}
	if reason == "" && failed {
		reason = "sign-file failed"
	}
	return dkmsstate.OneLine(reason)
}
