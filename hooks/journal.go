package hooks

import (
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
)

// journalSocket is where systemd-journald receives messages in its native protocol
// (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
const journalSocket = "/run/systemd/journal/socket"

// writeJournal sends an event to the journal of the running system. Where there is no journal,
// or where it does not receive the message at once, the message is lost. A library would wait.
func writeJournal(layout dkmsstate.Layout, e Event) {
	if layout.Root != "/" {
		return
	}
	sendJournal(journalSocket, journalMessage(e))
}

// sendJournal sends one message to a socket without waiting.
func sendJournal(socket string, message []byte) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	_ = unix.Sendto(fd, message, unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: socket})
}

// journalMessage returns an event in the native protocol: a line NAME=VALUE for each field. No
// value has a newline.
func journalMessage(e Event) []byte {
	const warning, info = "4", "6"
	text, priority := string(e.Kernel)+": ", info
	if e.Module != "" {
		text = e.Module + " for " + text
	}
	text += e.Did
	if e.Text != "" {
		text += ": " + e.Text
	}
	if e.Did == "failed" {
		priority = warning
	}
	var message strings.Builder
	for _, field := range [][2]string{
		{"MESSAGE", text}, {"PRIORITY", priority}, {"SYSLOG_IDENTIFIER", "dkms-hooks"},
		{"DKMS_HOOKS_KERNEL", string(e.Kernel)}, {"DKMS_HOOKS_MODULE", e.Module}, {"DKMS_HOOKS_VERDICT", e.Did},
		{"DKMS_HOOKS_HOOK", e.Hook}, {"DKMS_HOOKS_PACKAGE", e.Package}, {"DKMS_HOOKS_SCRIPT", e.Script}, {"DKMS_HOOKS_ACTION", e.Action},
	} {
		if field[1] != "" {
			message.WriteString(field[0] + "=" + inOneLine(field[1]) + "\n")
		}
	}
	return []byte(message.String())
}
