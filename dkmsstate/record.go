package dkmsstate

import (
	"maps"
	"strings"
	"time"

	"dkms-hooks/dkmsstate/kmod"
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

// Record is what is kept between runs, by kernel.
type Record struct {
	Version int                      `json:"version"`
	Kernels map[Release]KernelRecord `json:"kernels"`
}

// KernelRecord is what is kept of one kernel.
type KernelRecord struct {
	// Run names the run of dpkg that was told of the troubles last. Where both the
	// image and the headers of a kernel are configured, two hooks are called for
	// it; the second neither tries in vain nor tells again what the first did.
	Run string `json:"run,omitempty"`
	// RemovedBy is the package whose removal took the kernel's builds away, as long as it
	// is not known how that ended: dpkg may give it up, and calls no hook then.
	RemovedBy string `json:"removed_by,omitempty"`
	// Unpacked names the state of the files that the packages of the kernel and of its
	// headers bring, as it was when the kernel was last looked at.
	Unpacked string `json:"unpacked,omitempty"`
	// Looked is when that was.
	Looked time.Time `json:"looked,omitzero"`
	// Last is how the last attempt for each module ended, by MODULE/VERSION.
	Last map[string]Last `json:"last,omitempty"`
	// Stamps name the state of the kernel's, its modules' and its headers' files when
	// they were compared, Mismatch is what came of it (Snapshot.Mismatch).
	Stamps   string `json:"stamps,omitempty"`
	Mismatch string `json:"mismatch,omitempty"`
	// Builds are the builds that were found fresh, by MODULE/VERSION and
	// architecture; Origins are what they were built from, by name.
	Builds  map[string]BuildRecord `json:"builds,omitempty"`
	Origins map[string]Origin      `json:"origins,omitempty"`
	// Dep is what was read of modules.dep.
	Dep DepRecord `json:"dep"`
	// Answers are what dkms answered about modules of which only dkms knows whether it
	// would install them unasked and what they need, by MODULE/VERSION (Snapshot.Ask).
	Answers map[string]Answer `json:"answers,omitempty"`
}

// BuildRecord is what a build was when it was found fresh, and for what.
type BuildRecord struct {
	// Stamp names the state of its files, Sum their contents; Installed the state of
	// the installed ones while nothing about them is to be repaired, "" otherwise.
	Stamp     string `json:"stamp"`
	Sum       string `json:"sum"`
	Installed string `json:"installed,omitempty"`
	// Differing are the files whose installed copies are not what was built, by name.
	Differing map[string]FileRecord `json:"differing,omitempty"`
	// Absent are the files that the module's own script removed or moved when dkms had
	// installed them.
	Absent []string `json:"absent,omitempty"`
	// Kernel is KernelRecord.Stamps then, From names the contents behind them.
	Kernel string `json:"kernel"`
	From   string `json:"from"`
}

// FileRecord is what is kept of an installed file that is not the built one.
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
	// Result is what became of it.
	Result LastResult `json:"result"`
	// Text says why, in one line.
	Text string    `json:"text"`
	When time.Time `json:"when"`
	// Log is the file that tells more, "" without one.
	Log string `json:"log,omitempty"`
	// Took is how long the last build of the module took on the kernel, 0 when it is not
	// known.
	Took time.Duration `json:"took_ns,omitempty"`
	// Inputs name what the attempt started from (Snapshot.Inputs): with other inputs it
	// may end otherwise. Cause is why it failed, and Packages name the packages that were
	// installed then, where another one may have been missing.
	Inputs   string `json:"inputs,omitempty"`
	Cause    Cause  `json:"cause,omitempty"`
	Packages string `json:"packages,omitempty"`
	// Compiler names the compiler then (Layout.Compiler), Linked is the version of the module
	// that was installed.
	Compiler string `json:"compiler,omitempty"`
	Linked   string `json:"linked,omitempty"`
}

// again reports whether an attempt that failed may end otherwise with the present packages,
// although the module's source and the headers are the same.
func (l Last) again(packages func() string, compiler string) bool {
	switch {
	case l.Result != LastFailed || l.Cause == CauseTimeout:
		return false
	case l.Cause == CauseCompiler:
		return l.Compiler != compiler
	}
	return l.Packages != packages()
}

// LastResult is the kind of an ending.
type LastResult string

// A module was installed or not; where it was not, it failed, is not meant for the
// kernel, waits for the kernel's headers, or was left alone.
const (
	LastInstalled LastResult = "installed"
	LastFailed    LastResult = "failed"
	LastSkipped   LastResult = "skipped"
	LastWaiting   LastResult = "waiting"
	LastLeft      LastResult = "left"
)

// trouble reports whether an ending is one that is reported.
func (l Last) trouble() bool { return l.Result != LastInstalled && l.Result != LastWaiting }

// Reported returns the troubles that a run of dpkg reported, a text for each module: none for
// another run, or for one without a name.
func (k KernelRecord) Reported(run string, now Present) map[string]string {
	if run == "" || k.Run != run {
		return nil
	}
	return k.EverReported(now)
}

// EverReported returns the troubles that any run reported and that are what a new attempt would
// end in.
func (k KernelRecord) EverReported(now Present) map[string]string {
	told := map[string]string{}
	for module, last := range k.Last {
		if last.trouble() && last.Inputs == now.Inputs(module) && !(now.Retries && last.again(now.Packages, now.Compiler)) {
			told[module] = last.Text
		}
	}
	return told
}

// Retries reports whether an attempt on the kernel failed that may end otherwise with the
// present packages.
func (k KernelRecord) Retries(packages func() string, compiler string) bool {
	for _, last := range k.Last {
		if last.again(packages, compiler) {
			return true
		}
	}
	return false
}

// Waits reports whether a module was to be installed on the kernel and could not be yet: for
// want of headers, or since it failed.
//
// It does not any more when another version is installed than was then: somebody chose it.
func (k KernelRecord) Waits(m Module, linked string) bool {
	last := k.Last[m.String()]
	return (last.Result == LastWaiting || last.Result == LastFailed) && last.Linked == linked
}

// Present is what attempts start from now: Inputs by module (Snapshot.Inputs), and a name
// for the packages that are installed.
type Present struct {
	Inputs   func(module string) string
	Packages func() string
	Compiler string
	// Retries reports whether what may have failed for want of a tool is tried again when
	// other packages are installed.
	Retries bool
}

// Kernel returns what is kept of a kernel.
func (r Record) Kernel(kernel Release) KernelRecord { return r.Kernels[kernel] }

// With returns the record with one kernel's put in its place.
func (r Record) With(kernel Release, k KernelRecord) Record {
	next := Record{Version: RecordVersion, Kernels: maps.Clone(r.Kernels)}
	if next.Kernels == nil {
		next.Kernels = map[Release]KernelRecord{}
	}
	next.Kernels[kernel] = k
	return next
}

// Took returns how long the last build of a module took that is recorded, on whatever kernel,
// 0 for none. One of the same version says more than a later one of another.
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

// Without returns the record without a kernel.
func (r Record) Without(kernel Release) Record {
	next := Record{Version: RecordVersion, Kernels: maps.Clone(r.Kernels)}
	delete(next.Kernels, kernel)
	return next
}

// RecordVersion is the version of the file that the Record is kept in.
const RecordVersion = 2
