package dkmsstate

import (
	"maps"
	"time"
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
	// Inputs name what the troubles came from (Snapshot.Inputs); with other inputs
	// everything is tried and told anew.
	Inputs string `json:"inputs,omitempty"`
	// Last is how the last attempt for each module ended, by MODULE/VERSION.
	Last map[string]Last `json:"last,omitempty"`
	// Stamps name the state of the kernel's and its headers' files when they were
	// compared, Mismatch is what came of it (Snapshot.Mismatch).
	Stamps   string `json:"stamps,omitempty"`
	Mismatch string `json:"mismatch,omitempty"`
	// Builds are the builds that were found fresh, by MODULE/VERSION and
	// architecture; Origins are what they were built from, by name.
	Builds  map[string]BuildRecord `json:"builds,omitempty"`
	Origins map[string]Origin      `json:"origins,omitempty"`
	// Dep is what was read of modules.dep.
	Dep DepRecord `json:"dep"`
}

// BuildRecord is what a build was when it was found fresh, and for what.
type BuildRecord struct {
	// Stamp names the state of its files, Sum their contents; Installed the state of
	// the installed ones while they are the same, "" otherwise.
	Stamp     string `json:"stamp"`
	Sum       string `json:"sum"`
	Installed string `json:"installed,omitempty"`
	// Kernel is KernelRecord.Stamps then, From names the contents behind them.
	Kernel string `json:"kernel"`
	From   string `json:"from"`
}

// usedOrigins gives the origins that builds of the record name.
func (k KernelRecord) usedOrigins(x examination) map[string]Origin {
	used := map[string]Origin{}
	for _, b := range k.Builds {
		if b.From == "" {
			continue
		}
		if origin, known := k.Origins[b.From]; known {
			used[b.From] = origin
		} else if _, done := used[b.From]; !done {
			used[b.From] = x.origin()
		}
	}
	return used
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

// trouble says that an ending is one that is told.
func (l Last) trouble() bool { return l.Result != LastInstalled && l.Result != LastWaiting }

// Troubled says that there is anything to tell.
func (k KernelRecord) Troubled() bool {
	for _, last := range k.Last {
		if last.trouble() {
			return true
		}
	}
	return false
}

// Told gives the troubles that a run of dpkg was told of, a text for each module:
// none for another run, for one without a name, and when the inputs have changed.
func (k KernelRecord) Told(run string, inputs func() string) map[string]string {
	if run == "" || k.Run != run {
		return nil
	}
	return k.EverTold(inputs)
}

// EverTold gives the troubles that any run was told of, none when the inputs have
// changed.
func (k KernelRecord) EverTold(inputs func() string) map[string]string {
	told := map[string]string{}
	for module, last := range k.Last {
		if last.trouble() {
			told[module] = last.Text
		}
	}
	if len(told) == 0 || k.Inputs != inputs() {
		return nil
	}
	return told
}

// Kernel gives what is kept of a kernel.
func (r Record) Kernel(kernel Release) KernelRecord { return r.Kernels[kernel] }

// With gives the record with one kernel's put in its place.
func (r Record) With(kernel Release, k KernelRecord) Record {
	next := Record{Version: recordVersion, Kernels: maps.Clone(r.Kernels)}
	if next.Kernels == nil {
		next.Kernels = map[Release]KernelRecord{}
	}
	next.Kernels[kernel] = k
	return next
}

// Without gives the record without a kernel.
func (r Record) Without(kernel Release) Record {
	next := Record{Version: recordVersion, Kernels: maps.Clone(r.Kernels)}
	delete(next.Kernels, kernel)
	return next
}
