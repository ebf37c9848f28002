//go:build integration

package systemtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/oracle"
)

// testOracle boots machines about which status --json predicted something: a few that need no
// firmware, or all for the table.
func testOracle(t *testing.T, l suite) {
	if l.Name != "trixie" {
		t.Skip("the machines of the oracle are those of trixie")
	}
	l.needBoots(t)
	cells := oracle.Cells()
	if l.oracle == "" {
		cells = slices.DeleteFunc(cells, func(c oracle.Cell) bool { return !c.Quick })
	}
	asked := regexp.MustCompile(l.oracleCells)
	cells = slices.DeleteFunc(cells, func(c oracle.Cell) bool {
		return !asked.MatchString(c.Group + " " + string(c.On) + " " + string(c.Starts) + " " + c.Name)
	})
	o := oracle.New(t, l.Suite, l.kernels, cells)
	page := oraclePage{results: make([]oracle.Result, len(cells))}
	if l.oracle != "" {
		page.file, page.versions = l.oracle, l.versions(t)
	}
	t.Run("cells", func(t *testing.T) {
		turn := make(chan struct{}, 2) // two processors
		for i, c := range cells {
			t.Run(c.Group+" "+string(c.On)+" "+string(c.Starts)+" "+c.Name, func(t *testing.T) {
				t.Parallel()
				turn <- struct{}{}
				defer func() { <-turn }()
				result := o.Play(t, c)
				page.add(t, i, result)
				assert.False(t, result.Wrong(), "%s\n%s", result, result.Console())
			})
		}
	})
}

// oraclePage is the table of the cells that were played. It is written after each, since all
// take an hour.
type oraclePage struct {
	mu             sync.Mutex
	file, versions string
	results        []oracle.Result
}

func (p *oraclePage) add(t *testing.T, i int, r oracle.Result) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.results[i] = r
	if p.file == "" {
		return
	}
	played := slices.DeleteFunc(slices.Clone(p.results), func(r oracle.Result) bool { return r.Cell.Name == "" })
	require.NoError(t, os.MkdirAll(filepath.Dir(p.file), 0o755))
	require.NoError(t, os.WriteFile(p.file, []byte(oracle.Table(played, time.Now().Format(time.DateOnly), p.versions)), 0o644))
}

// versions describes what the oracle tests, and with what.
func (l suite) versions(t *testing.T) string {
	t.Helper()
	qemu, err := exec.Command("qemu-system-x86_64", "--version").Output()
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(qemu), "\n")
	return "dkms-hooks " + l.ours.Must(t, "dpkg-query -W -f '${Version}, dkms ' dkms-hooks; dpkg-query -W -f '${Version}' dkms") + ", " + first
}
