//go:build integration

package systemtest

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// result is a scenario with what was wrong at its end, with either kind of hooks.
type result struct {
	kind, name  string
	steps       int
	stock, ours []string
}

// stockwiseReport collects the results of a suite.
type stockwiseReport struct {
	mu      sync.Mutex
	results []result
}

func (r *stockwiseReport) add(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, one)
}

// String sums the results up.
func (r *stockwiseReport) String() string {
	var steps, stock, ours, both, neither int
	for _, one := range r.results {
		steps += one.steps
		s, o := len(one.stock) == 0, len(one.ours) == 0
		for _, is := range []struct {
			so    bool
			count *int
		}{{s, &stock}, {o, &ours}, {s && o, &both}, {!s && !o, &neither}} {
			if is.so {
				*is.count++
			}
		}
	}
	return fmt.Sprintf("scenarios %d, steps %d; right with stock %d, with dkms-hooks %d, with both %d, with neither %d; right with stock alone %d",
		len(r.results), steps, stock, ours, both, neither, stock-both)
}

// write prints the sum, and writes the table into the directory of make stockwise.
func (r *stockwiseReport) write(t *testing.T, l suite) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%s: %s", l.Name, r)
	if l.stockwiseDir == "" || l.packages != "" { // a part is no report
		return
	}
	require.NoError(t, os.MkdirAll(l.stockwiseDir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(l.stockwiseDir, l.Name+".md"), []byte(r.table(t, l)), 0o644))
}

// table is the report in Markdown.
func (r *stockwiseReport) table(t *testing.T, l suite) string {
	t.Helper()
	slices.SortStableFunc(r.results, func(a, b result) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	var b strings.Builder
	fmt.Fprintf(&b, "# The stock hooks and dkms-hooks, the same scenarios: %s\n\n", l.Name)
	versions := strings.TrimSuffix(l.stock.Must(t, `dpkg-query -W -f '${Package} ${Version}, ' dpkg dkms`), ", ")
	fmt.Fprintf(&b, "Made by `make stockwise` on %s with %s.\n", time.Now().UTC().Format(time.DateOnly), versions)
	fmt.Fprintf(&b, "A cell lists in what the end is not right. Where stock is right, dkms-hooks has to be.\n\n%s\n", r)
	kind := ""
	for _, one := range r.results {
		if one.kind != kind {
			kind = one.kind
			fmt.Fprintf(&b, "\n## %s\n\n| scenario | steps | stock | dkms-hooks |\n|---|---|---|---|\n", kind)
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s |\n", one.name, one.steps, verdict(one.stock), verdict(one.ours))
	}
	return b.String()
}

// verdict is a cell of the table.
func verdict(wrong []string) string {
	if len(wrong) == 0 {
		return "right"
	}
	return "**wrong**: " + strings.ReplaceAll(strings.Join(wrong, "; "), "|", `\|`)
}
