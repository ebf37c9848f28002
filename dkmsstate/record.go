package dkmsstate

import (
	"maps"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/kmod"
)

// Cause is why an attempt failed or was skipped, as far as it decides when to try again.
type Cause string

// CauseCompiler is an error of the compiler about the module's source, which recurs while the
// source and the headers are the same. CauseTimeout is a build that ran into the time limit,
// which most likely recurs. CauseOther is everything else: a tool, a library, memory, disk
// space or a network may have been missing.
const (
	CauseOther    Cause = ""
	CauseCompiler Cause = "compiler"
	CauseTimeout  Cause = "timeout"
)

// The causes of an attempt that was skipped. CauseExcluded is the module's own dkms.conf, which
// recurs while the source and the headers are the same. CauseInKernel is a file of the kernel in
// the same version or a newer one, and CauseTaken one of another module: both last as long as
// that file.
const (
	CauseExcluded Cause = "excluded"
	CauseInKernel Cause = "in-kernel"
	CauseTaken    Cause = "taken"
)

// Record is what is kept between runs, by kernel.
type Record struct {
	Version int                      `json:"version"`
	Kernels map[Release]KernelRecord `json:"kernels"`
}

// KernelRecord is what is kept for one kernel.
type KernelRecord struct {
	// Run identifies the run of dpkg to which the troubles were last reported. When both the
	// image and the headers of a kernel are configured, two hooks are called for the kernel.
	// The second one neither tries again nor reports again what failed in the first.
	Run string `json:"run,omitempty"`
	// RemovedBy is the package whose removal took the kernel's builds away, as long as it is
	// not known how the removal ended. dpkg may abort it, and calls no hook then.
	RemovedBy string `json:"removed_by,omitempty"`
	// Unpacked is Snapshot.Unpacked when the kernel was last looked at.
	Unpacked string `json:"unpacked,omitempty"`
	// Looked is when the kernel was last looked at.
	Looked time.Time `json:"looked,omitzero"`
	// Last is how the last attempt for each module ended, by MODULE/VERSION.
	Last map[string]Last `json:"last,omitempty"`
	// Stamps identifies the state of the files of the kernel, its modules and its headers when
	// they were compared. Mismatch is the result (Snapshot.Mismatch).
	Stamps   string `json:"stamps,omitempty"`
	Mismatch string `json:"mismatch,omitempty"`
	// Builds are the builds that were found fresh, by MODULE/VERSION and architecture. Origins
	// are what they were built from, by Origin.ID.
	Builds  map[string]BuildRecord `json:"builds,omitempty"`
	Origins map[string]Origin      `json:"origins,omitempty"`
	// Dep is what was read of modules.dep and modules.dep.bin.
	Dep DepRecord `json:"dep"`
	// Answers are what dkms answered about modules of which only dkms knows whether it would
	// install them unasked, and what they need, by MODULE/VERSION (apply.Ask).
	Answers map[string]Answer `json:"answers,omitempty"`
	// Signatures are those of the installed modules of a kernel that enforces them, by their
	// path in the directory of the kernel.
	Signatures map[string]SignatureRecord `json:"signatures,omitempty"`
	// Installed are the modules that are installed on the kernel, and those that an upgrade of
	// their packages took away, by their names.
	Installed map[string]InstalledRecord `json:"installed,omitempty"`
}

// InstalledRecord describes an installed module: its version, the state of its registration with
// dkms (Layout.Registered), the package that has its source, "" for none, and when dpkg unpacked
// that package.
type InstalledRecord struct {
	Version    string `json:"version"`
	Registered string `json:"registered"`
	Package    string `json:"package,omitempty"`
	Unpacked   int64  `json:"unpacked,omitempty"`
}

// SignatureRecord is the signature of a module's file: a PKCS #7 message, nil if the module is not
// signed, and the digest of what is signed. Stamp identifies the state of the file.
type SignatureRecord struct {
	Stamp   string `json:"stamp"`
	Message []byte `json:"message,omitempty"`
	Digest  []byte `json:"digest,omitempty"`
}

// BuildRecord describes a build as it was when it was found fresh, and the kernel for which it
// was.
type BuildRecord struct {
	// Stamp identifies the state of the build's files, Sum their contents. Installed identifies
	// the state of the installed files. It is "" if they need a repair.
	Stamp     string `json:"stamp"`
	Sum       string `json:"sum"`
	Installed string `json:"installed,omitempty"`
	// Differing are the installed files that differ from the built ones, by the name of the
	// built file.
	Differing map[string]FileRecord `json:"differing,omitempty"`
	// Absent are the files that the module's own script removed or moved when dkms had
	// installed them.
	Absent []string `json:"absent,omitempty"`
	// Kernel is KernelFacts.Stamps at that time. From is the Origin.ID of the contents behind
	// them.
	Kernel string `json:"kernel"`
	From   string `json:"from"`
}

// FileRecord describes an installed file that differs from the built one.
type FileRecord struct {
	Installed string    `json:"installed"`
	Copy      kmod.Copy `json:"copy"`
	Reason    string    `json:"reason"`
	OtherABI  bool      `json:"other_abi,omitempty"`
	Whose     Module    `json:"whose,omitzero"`
}

// file returns a file of the build as it was recorded.
func (b BuildRecord) file(f File) File {
	if r, differs := b.Differing[f.Name]; differs {
		f.Installed, f.Copy, f.Reason, f.OtherABI, f.Whose = r.Installed, r.Copy, r.Reason, r.OtherABI, r.Whose
	}
	return f
}

// Last is how the last attempt for a module on a kernel ended.
type Last struct {
	// Result is the kind of the result.
	Result LastResult `json:"result"`
	// Text is the reason, in one line.
	Text string    `json:"text"`
	When time.Time `json:"when"`
	// Log is the file with the details, "" if there is none.
	Log string `json:"log,omitempty"`
	// Took is how long the last build of the module took on the kernel, 0 if that is not known.
	Took time.Duration `json:"took_ns,omitempty"`
	// Inputs identifies what the attempt started from (Snapshot.Inputs). With other inputs it
	// may end differently. Cause is why it failed or was skipped. Packages identifies the
	// packages that were installed then: another package may have been missing. Rivals are the
	// files of the kernel for CauseInKernel (Snapshot.Rivals).
	Inputs   string `json:"inputs,omitempty"`
	Cause    Cause  `json:"cause,omitempty"`
	Packages string `json:"packages,omitempty"`
	Rivals   string `json:"rivals,omitempty"`
	// Compiler is Layout.Compiler at that time. Linked is the version of the module that was
	// installed.
	Compiler string `json:"compiler,omitempty"`
	Linked   string `json:"linked,omitempty"`
}

// again reports whether a failed attempt may succeed with the present packages, although the
// module's source and the headers are the same.
func (l Last) again(packages, compiler func() string) bool {
	switch {
	case l.Result != LastFailed || l.Cause == CauseTimeout:
		return false
	case l.Cause == CauseCompiler:
		return l.Compiler != compiler()
	}
	return l.Packages != packages()
}

// MayPass reports whether an attempt failed for a reason that may be gone without any change of
// the module, the headers or the packages, such as a full disk.
func (l Last) MayPass() bool { return l.Result == LastFailed && l.Cause == CauseOther }

// LastResult is the kind of a result.
type LastResult string

// LastInstalled means that the module was installed, LastFailed that the attempt failed,
// LastSkipped that the module is not meant for the kernel, LastWaiting that the kernel's
// headers or a module that it needs are missing, and LastLeft that the module was left alone.
const (
	LastInstalled LastResult = "installed"
	LastFailed    LastResult = "failed"
	LastSkipped   LastResult = "skipped"
	LastWaiting   LastResult = "waiting"
	LastLeft      LastResult = "left"
)

// trouble reports whether the result is to be reported.
func (l Last) trouble() bool { return l.Result != LastInstalled && l.Result != LastWaiting }

// Reported returns the troubles that a run of dpkg reported, as a text for each module. It
// returns none for another run, or for one without a name.
func (k KernelRecord) Reported(run string, now Present) map[string]string {
	if run == "" || k.Run != run {
		return nil
	}
	return k.EverReported(now)
}

// EverReported returns the troubles that any run reported and that a new attempt would end in
// again.
func (k KernelRecord) EverReported(now Present) map[string]string {
	told := map[string]string{}
	for module, last := range k.Last {
		if last.trouble() && now.Recurs(module, last) && !(now.Retries && last.again(now.Packages, now.Compiler)) {
			told[module] = last.Text
		}
	}
	return told
}

// Retries reports whether a failed attempt on the kernel may succeed with the present packages.
func (k KernelRecord) Retries(packages, compiler func() string) bool {
	for _, last := range k.Last {
		if last.again(packages, compiler) {
			return true
		}
	}
	return false
}

// Waits reports whether a module was to be installed on the kernel and could not be yet,
// because the headers were missing or it failed.
//
// It reports false if another version of the module is installed now than at that time:
// somebody chose it.
func (k KernelRecord) Waits(m Module, linked string) bool {
	last := k.Last[m.String()]
	return (last.Result == LastWaiting || last.Result == LastFailed) && last.Linked == linked
}

// Present is what attempts start from now: whether it is what an attempt started from
// (Snapshot.Recurs), and identifiers of the installed packages and the compilers, which are read only
// if a failure asks for them.
type Present struct {
	Recurs             func(module string, last Last) bool
	Packages, Compiler func() string
	// Retries reports whether an attempt that may have failed because a tool was missing is
	// repeated when other packages are installed.
	Retries bool
}

// Kernel returns the record of one kernel.
func (r Record) Kernel(kernel Release) KernelRecord { return r.Kernels[kernel] }

// With returns the record with that of one kernel replaced.
func (r Record) With(kernel Release, k KernelRecord) Record {
	next := Record{Version: RecordVersion, Kernels: maps.Clone(r.Kernels)}
	if next.Kernels == nil {
		next.Kernels = map[Release]KernelRecord{}
	}
	next.Kernels[kernel] = k
	return next
}

// Took returns how long the last recorded build of a module took, on any kernel, or 0 if none
// is recorded. A build of the same version is preferred to a later one of another version.
func (r Record) Took(m Module) time.Duration {
	var found Last
	same := false
	for _, kernel := range r.Kernels {
		for module, last := range kernel.Last {
			name, version, _ := strings.Cut(module, "/")
			exact := version == m.Version
			if name != m.Name || last.Took == 0 || same && !exact || same == exact && !last.When.After(found.When) {
				continue
			}
			found, same = last, exact
		}
	}
	return found.Took
}

// Without returns the record without one kernel.
func (r Record) Without(kernel Release) Record {
	next := Record{Version: RecordVersion, Kernels: maps.Clone(r.Kernels)}
	delete(next.Kernels, kernel)
	return next
}

// RecordVersion is the version of the file that contains the Record.
const RecordVersion = 2
