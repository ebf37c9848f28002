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
	// file is where the table goes besides, "" for nowhere.
	file string
	mu   sync.Mutex
	rows []endState
}

// endState is one row: what a root came to, with either kind of hooks.
type endState struct {
	where, transition, stock, ours string
}

func (o *outcomes) add(row endState) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows = append(o.rows, row)
}

// print shows the table, and writes it into the file.
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
	if o.file != "" {
		assert.NoError(t, os.WriteFile(o.file, []byte(table.String()), 0o644))
	}
}
