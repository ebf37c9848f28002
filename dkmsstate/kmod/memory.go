package kmod

import (
	"errors"
	"sync"

	"dkms-hooks/dkmsstate/sentinel"
)

// memory is how much a module that is being read may take: the window of its compression,
// which is how far back it refers, and what is kept of its contents.
type memory struct {
	window, kept int
	// alone reports whether nobody else reads meanwhile. Then the contents may be longer
	// than what is kept of them.
	alone bool
}

// memories are the memory that is tried for a module, in this order. The first is enough
// for the kernel's own modules and for most others, the second for what xz(1) and zstd(1)
// make when they are not asked for more. The last one is for large modules and unusual
// windows: `zstd --ultra -20`, as dkms 3.0 calls it, makes one of 32 MB, `xz -9` of 64 MB, `zstd --ultra -22` of 128 MB.
func memories() []memory {
	return []memory{
		{window: 2 << 20, kept: 2 << 20},
		{window: 8 << 20, kept: 4 << 20},
		{window: 128 << 20, kept: 4 << 20, alone: true},
	}
}

// errMuch says that a module takes more memory than it may.
const errMuch = sentinel.Error("it takes too much memory to decompress it")

// inTurn calls a function that reads modules, with little memory, and with more as long as
// that is not enough.
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

// Reader reads modules, many at a time, within a bound of memory that is the same on a
// machine with many processors as on a small one. None (nil) is for one at a time.
type Reader struct {
	mu     sync.Mutex
	waiter sync.Cond
	taken  int
}

// NewReader returns a reader that nobody uses yet.
func NewReader() *Reader {
	r := &Reader{}
	r.waiter.L = &r.mu
	return r
}

// take waits until there is memory left for one more reader, and returns what gives it back.
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
