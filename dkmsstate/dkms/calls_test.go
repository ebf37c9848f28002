package dkms

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What other calls take away from a call is not counted.
func TestLimitCountsAShareOfTheTime(t *testing.T) {
	first, second := &sideCall{}, &sideCall{}
	crowd := &Calls{running: []*sideCall{first, second}}
	assert.InDelta(t, 0.5, crowd.share(first), 0)
	assert.InDelta(t, 0.5, crowd.share(second), 0)
	second.behind = true
	assert.InDelta(t, 0.5, crowd.share(first), 0)
	assert.Zero(t, crowd.share(second))
	assert.InDelta(t, 1.0, new(Calls).share(first), 0)

	behind, cancel := crowd.limit(context.Background(), second, 10*time.Millisecond)
	defer cancel()
	before, cancel := crowd.limit(context.Background(), first, 100*time.Millisecond)
	defer cancel()
	<-before.Done()
	require.NoError(t, behind.Err())
	crowd.mu.Lock()
	second.behind = false
	crowd.mu.Unlock()
	<-behind.Done()
	assert.ErrorIs(t, context.Cause(behind), ErrTimeout)
}

// The build that began first has priority. The next one gets it when the first has ended. Where
// a priority cannot be raised again, none is lowered. The priority of other programs is never
// lowered.
func TestTheFirstBuildHasTheProcessors(t *testing.T) {
	for _, canRaise := range []bool{canRaisePriority(), false} {
		t.Run(fmt.Sprintf("priority can be raised: %t", canRaise), func(t *testing.T) {
			dir := t.TempDir()
			file := func(name string, i int) string { return filepath.Join(dir, fmt.Sprint(name, i)) }
			made := func(name string, i int) func() bool {
				return func() bool { _, err := os.Stat(file(name, i)); return err == nil }
			}
			engine := DKMS{Timeout: time.Minute, Calls: &Calls{canRaise: func() bool { return canRaise }}, compiles: true}
			running := func(n int) func() bool {
				return func() bool {
					engine.Calls.mu.Lock()
					defer engine.Calls.mu.Unlock()
					return len(engine.Calls.running) == n && engine.Calls.running[n-1].group != 0
				}
			}
			const script = `until [ -e "$1" ]; do sleep 0.01; done; nice; touch "$2"; until [ -e "$3" ]; do sleep 0.01; done; nice`
			var wait sync.WaitGroup
			var logs [2]bytes.Buffer
			for i := range logs {
				wait.Add(1)
				go func() {
					defer wait.Done()
					assert.NoError(t, engine.run(context.Background(), nil, &logs[i], "sh", "-c", script, "sh", file("go", i), file("said", i), file("end", i)))
				}()
				waitFor(t, running(i+1))
			}
			for i := range logs {
				require.NoError(t, os.WriteFile(file("go", i), nil, 0o644))
				waitFor(t, made("said", i))
			}
			other := engine
			other.compiles = false
			var short bytes.Buffer
			require.NoError(t, other.run(context.Background(), nil, &short, "nice"))
			assert.Equal(t, fmt.Sprintln(ownNice()), short.String())
			require.NoError(t, os.WriteFile(file("end", 0), nil, 0o644))
			waitFor(t, running(1))
			require.NoError(t, os.WriteFile(file("end", 1), nil, 0o644))
			wait.Wait()
			own, behind := ownNice(), ownNice()
			if canRaise {
				behind = lowestNice
			}
			assert.Equal(t, fmt.Sprintf("%d\n%d\n", own, own), logs[0].String())
			assert.Equal(t, fmt.Sprintf("%d\n%d\n", behind, own), logs[1].String())
		})
	}
}

func waitFor(t *testing.T, there func() bool) {
	t.Helper()
	require.Eventually(t, there, time.Minute, time.Millisecond)
}
