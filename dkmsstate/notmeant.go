package dkmsstate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/kmod"
)

// ExcludedText is why a module is not built that its dkms.conf excludes from the kernel.
const ExcludedText = "excluded by BUILD_EXCLUSIVE"

// NotMeant returns why a module is not to be installed on the kernel although nobody chose so, ""
// if nothing shows that: its dkms.conf, another module that has installed a file of it, or the
// last attempt for it, as long as the reason of that one lasts. It is one answer for what a run
// plans and for every report.
func (s Snapshot) NotMeant(m Module, kept KernelRecord) string {
	r, _ := s.Registration(m)
	last := kept.Last[m.String()]
	switch taken := s.takenFrom(m); {
	case r.Conf.Excluded:
		return ExcludedText
	case taken != "":
		return taken
	case last.Result == LastSkipped && s.Recurs(m.String(), last):
		return last.Text
	}
	return ""
}

// takenFrom returns Taken for the build of a module that is not installed, "" for any other.
func (s Snapshot) takenFrom(m Module) string {
	b, _ := s.Build(m, s.Arch)
	if s.Linked(b) {
		return ""
	}
	return s.Taken(b)
}

// skipsAgain reports whether another attempt for a module that was skipped would be skipped for
// the same reason. What a dkms.conf excludes depends on the module and the headers, and on the
// module alone once these are gone. That another module or the kernel has the file is over when
// it is not there.
func (s Snapshot) skipsAgain(module string, last Last) bool {
	name, version, _ := strings.Cut(module, "/")
	m := Module{name, version}
	now := s.Inputs(module)
	same := last.Inputs == now
	if !s.Headers {
		_, source, _ := strings.Cut(now, "-")
		_, before, split := strings.Cut(last.Inputs, "-")
		same = split && before == source
	}
	switch last.skipped() {
	case CauseExcluded:
		return same
	case CauseTaken:
		return s.takenFrom(m) != ""
	case CauseInKernel:
		return same && last.Rivals != "" && last.Rivals == s.Rivals(m)
	}
	return false
}

// skipped returns why an attempt was skipped. Records without a cause were written before it was
// kept: the text shows it for one of them, and any other reason may be over.
func (l Last) skipped() Cause {
	if l.Cause == CauseOther && l.Text == ExcludedText {
		return CauseExcluded
	}
	return l.Cause
}

// Rivals identifies the files on the kernel that have the names of a module's, "" if there are
// none. dkms compares a module that is not installed with them.
func (s Snapshot) Rivals(m Module) string {
	b, _ := s.Build(m, s.Arch)
	names := b.Names()
	if len(names) == 0 {
		r, _ := s.Registration(m)
		names = r.Conf.Names
	}
	var sum stamp
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		for _, dir := range s.Dep.dirsOf(name) {
			for _, file := range kmod.FileNames(name) {
				if info, err := os.Stat(filepath.Join(s.Layout.PlaceDir(s.Kernel, dir), file)); err == nil {
					sum.add(info)
				}
			}
		}
	}
	if len(sum.state) == 0 {
		return ""
	}
	return sum.sum()
}
