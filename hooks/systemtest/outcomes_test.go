//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// outcomes is the table of end states, stock beside ours.
type outcomes struct {
	mu   sync.Mutex
	rows []endState
}

// endState is one row: what a root came to, with either kind of hooks.
type endState struct {
	where, transition, stock, ours string
}

// stockToo reports whether the stock hooks are run beside ours, for comparison. It takes as
// much time again, and more.
func stockToo() bool { return os.Getenv("DKMS_HOOKS_STOCK") != "" }

// ofStock returns what the stock hooks came to, where they are run.
func ofStock(run func() string) string {
	if !stockToo() {
		return "not run"
	}
	return run()
}

func (o *outcomes) add(row endState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows = append(o.rows, row)
}

// print shows the table, and writes it where DKMS_HOOKS_TABLE says.
func (o *outcomes) print(t *testing.T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// The suites run side by side; each row keeps its place within them.
	slices.SortStableFunc(o.rows, func(a, b endState) int { return strings.Compare(a.where, b.where) })
	var table strings.Builder
	fmt.Fprintf(&table, "| where | transition | stock | dkms-hooks |\n|---|---|---|---|\n")
	for _, row := range o.rows {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", row.where, row.transition, row.stock, row.ours)
	}
	t.Logf("end states:\n%s", table.String())
	if file := os.Getenv("DKMS_HOOKS_TABLE"); file != "" {
		assert.NoError(t, os.WriteFile(file, []byte(table.String()), 0o644))
	}
}
