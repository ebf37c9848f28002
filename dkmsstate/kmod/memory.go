package kmod

import (
	"errors"
	"sync"

	"dkms-hooks/dkmsstate/sentinel"
)

// memory is the memory limit for reading one module. window bounds the window of the
// decompressor, which is how far back the compressed data refers. kept bounds how much of the
// contents is kept.
type memory struct {
	window, kept int
	// alone reports whether no other module is read at the same time. Only then may the
	// contents be longer than kept.
	alone bool
}

// memories returns the limits that are tried for a module, in this order. The first is enough
// for the kernel's own modules and for most others. The second is enough for what xz(1) and
// zstd(1) produce by default. The last is for large modules and unusual windows: `zstd --ultra
// -20`, as dkms 3.0 calls it, uses a window of 32 MB, `xz -9` of 64 MB, and `zstd --ultra -22`
// of 128 MB.
func memories() []memory {
	return []memory{
		{window: 2 << 20, kept: 2 << 20},
		{window: 8 << 20, kept: 4 << 20},
		{window: 128 << 20, kept: 4 << 20, alone: true},
	}
}

// errMuch means that a module needs more memory than its limit.
const errMuch = sentinel.Error("decompressing it takes too much memory")

// inTurn calls read with the limits of memories in turn, as long as read returns errMuch. It
// returns the last error.
func (r *Reader) inTurn(read func(m memory) error) (err error) {
	for _, m := range memories() {
		give := r.take(m)
		err = read(m)
		give()
		if !errors.Is(err, errMuch) {
			break
		}
	}
	return err
}

// Reader reads modules, many at a time, within one memory bound. The bound is the same on a
// machine with many processors as on a small one. A nil Reader has no bound and is for reading
// one module at a time.
type Reader struct {
	mu     sync.Mutex
	waiter sync.Cond
	taken  int
}

// NewReader returns a new Reader.
func NewReader() *Reader {
	r := &Reader{}
	r.waiter.L = &r.mu
	return r
}

// take waits until there is memory for a read within m. It returns a function that releases the
// memory.
func (r *Reader) take(m memory) (give func()) {
	if r == nil {
		return func() {}
	}
	const all = 24 << 20
	size := m.window + m.kept
	if m.alone {
		size = all
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.taken+size > all {
		r.waiter.Wait()
	}
	r.taken += size
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.taken -= size
		r.waiter.Broadcast()
	}
}
