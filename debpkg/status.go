package debpkg

import (
	"fmt"
	"slices"
	"strings"
)

// Want is what the administrator wants for the package, Flag whether dpkg found it broken, and
// State how far dpkg has processed it (dpkg(1), "Package states").
type (
	Want  string
	Flag  string
	State string
)

// The words of a Status field, as dpkg writes them.
const (
	WantUnknown   Want = "unknown"
	WantInstall   Want = "install"
	WantHold      Want = "hold"
	WantDeinstall Want = "deinstall"
	WantPurge     Want = "purge"

	FlagOK        Flag = "ok"
	FlagReinstreq Flag = "reinstreq"

	NotInstalled    State = "not-installed"
	ConfigFiles     State = "config-files"
	HalfInstalled   State = "half-installed"
	Unpacked        State = "unpacked"
	HalfConfigured  State = "half-configured"
	TriggersAwaited State = "triggers-awaited"
	TriggersPending State = "triggers-pending"
	Installed       State = "installed"
)

// Status is the value of a package's Status field.
type Status struct {
	Want  Want
	Flag  Flag
	State State
}

// ParseStatus parses a status such as "deinstall ok half-configured". Like dpkg, it ignores the
// case of the words.
func ParseStatus(s string) (Status, error) {
	words := strings.Fields(strings.ToLower(s))
	if len(words) != 3 {
		return Status{}, fmt.Errorf("cannot parse status %q: it has %d words, expected want, error flag and state", s, len(words))
	}
	status := Status{Want(words[0]), Flag(words[1]), State(words[2])}
	switch {
	case !slices.Contains([]Want{WantUnknown, WantInstall, WantHold, WantDeinstall, WantPurge}, status.Want):
		return Status{}, fmt.Errorf("cannot parse status %q: unknown want %q", s, words[0])
	case status.Flag != FlagOK && status.Flag != FlagReinstreq:
		return Status{}, fmt.Errorf("cannot parse status %q: unknown error flag %q", s, words[1])
	case !slices.Contains([]State{NotInstalled, ConfigFiles, HalfInstalled, Unpacked, HalfConfigured,
		TriggersAwaited, TriggersPending, Installed}, status.State):
		return Status{}, fmt.Errorf("cannot parse status %q: unknown state %q", s, words[2])
	}
	return status, nil
}

// String returns the status as dpkg writes it.
func (s Status) String() string {
	return fmt.Sprintf("%s %s %s", s.Want, s.Flag, s.State)
}

// SelectedForRemoval reports whether dpkg is asked to remove the package.
func (s Status) SelectedForRemoval() bool {
	return s.Want == WantDeinstall || s.Want == WantPurge
}

// Present reports whether the package's files are present. Those of a half-installed package
// may or may not be.
func (s Status) Present() bool {
	switch s.State {
	case Unpacked, HalfConfigured, TriggersAwaited, TriggersPending, Installed:
		return true
	}
	return false
}

// MayBePresent reports whether some of the package's files may be present. It does not for a
// package that dpkg was removing.
func (s Status) MayBePresent() bool {
	return s.Present() || s.State == HalfInstalled && !s.SelectedForRemoval()
}

// Configured reports whether the package's postinst has run or is running. While dpkg runs it
// for triggers, the package is half-configured again.
func (s Status) Configured() bool { return s.Present() && s.State != Unpacked }

// Unconfigured reports whether the package is unpacked, or was being unpacked, and its postinst
// has yet to run.
func (s Status) Unconfigured() bool {
	return s.State == Unpacked || s.State == HalfInstalled && s.MayBePresent()
}

// Any reports true for every status.
func (s Status) Any() bool { return true }
