package kmod

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// At most one reader uses the largest limit, and no other reads at the same time.
func TestInTurn(t *testing.T) {
	reader := NewReader()
	var wait sync.WaitGroup
	var taken, most atomic.Int64
	for i := range 16 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			tries := 0
			assert.NoError(t, reader.inTurn(func(m memory) error {
				now := taken.Add(int64(m.window + m.kept))
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				for range 100 {
					runtime.Gosched()
				}
				taken.Add(-int64(m.window + m.kept))
				if tries++; tries <= i%3 {
					return errMuch
				}
				return nil
			}))
		}()
	}
	wait.Wait()
	last := memories()[2]
	assert.EqualValues(t, last.window+last.kept, most.Load())
	assert.ErrorIs(t, reader.inTurn(func(memory) error { return ErrUnread }), ErrUnread)
}
