package dkms

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate"
)

// Removals are the registrations that calls of a run removed: a script of a module may run dkms
// remove. The words of dkms remove in the output of a call, or in the log of a build, prove it.
//
// A registration that vanishes without them may have been removed by the machine's owner. It stays
// removed, as with the stock hooks.
//
// A nil Removals has seen nothing.
type Removals struct {
	mu sync.Mutex
	// said are the registrations that words named (names).
	said map[string]bool
}

// Removed reports whether it is proved that a call removed a registration.
func (r *Removals) Removed(m dkmsstate.Module) bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(names(m), func(name string) bool { return r.said[name] })
}

// Forget drops the proof about a registration that is there again.
func (r *Removals) Forget(m dkmsstate.Module) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names(m) {
		delete(r.said, name)
	}
}

// names returns how the words of dkms name a registration: dkms 3.1 and later, 2.8.6 to 3.0, and
// older versions, which do not name the module.
func names(m dkmsstate.Module) []string {
	return []string{m.String(), m.Name + "-" + m.Version, "version: " + m.Version}
}

// Output returns a writer that looks for the words in the output of a call.
func (r *Removals) Output() io.Writer {
	if r == nil {
		return io.Discard
	}
	return &removalOutput{removals: r}
}

type removalOutput struct {
	removals *Removals
	// end is the end of the output, in which the words may begin.
	end []byte
}

// What each version of dkms prints when it drops a registration. maxWords is longer than that.
const (
	beforeRemoved = "Deleting module "
	afterRemoved  = "completely from the DKMS tree"
	maxWords      = 1024
)

// Write never returns an error.
func (o *removalOutput) Write(p []byte) (int, error) {
	o.end = append(o.end, p...)
	for {
		before, rest, found := bytes.Cut(o.end, []byte(afterRemoved))
		if !found {
			break
		}
		if i := bytes.LastIndex(before, []byte(beforeRemoved)); i >= 0 {
			o.removals.add(strings.TrimSpace(string(before[i+len(beforeRemoved):])))
		}
		o.end = rest
	}
	o.end = bytes.Clone(o.end[max(0, len(o.end)-maxWords):])
	return len(p), nil
}

// add adds a registration that words named.
func (r *Removals) add(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said == nil {
		r.said = map[string]bool{}
	}
	r.said[name] = true
}
