//go:build integration

package systemtest

import (
	"errors"
	"io/fs"
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
	if err := oracle.Download(l.Suite); err != nil {
		if l.oracle == "" {
			t.Skipf("what the machines of the oracle are made of cannot be downloaded: %s", err)
		}
		require.NoError(t, err)
	}
	o := oracle.New(t, l.Suite, l.kernels, cells)
	page := oraclePage{file: l.oracle}
	if l.oracle != "" {
		page.versions = l.versions(t)
	}
	t.Run("cells", func(t *testing.T) {
		turn := make(chan struct{}, 2) // two processors
		for _, c := range cells {
			t.Run(c.Group+" "+string(c.On)+" "+string(c.Starts)+" "+c.Name, func(t *testing.T) {
				t.Parallel()
				turn <- struct{}{}
				defer func() { <-turn }()
				result := o.Play(t, c)
				page.add(t, result)
				assert.False(t, result.Wrong(), "%s\n%s", result, result.Console())
			})
		}
	})
}

// oraclePage is the table of all cells. It is written after each, since all take an hour.
type oraclePage struct {
	mu             sync.Mutex
	file, versions string
}

func (p *oraclePage) add(t *testing.T, r oracle.Result) {
	t.Helper()
	if p.file == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	before, err := os.ReadFile(p.file)
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
	}
	page := oracle.Table(string(before), []oracle.Result{r}, time.Now().Format(time.DateOnly), p.versions)
	require.NoError(t, os.MkdirAll(filepath.Dir(p.file), 0o755))
	require.NoError(t, os.WriteFile(p.file, []byte(page), 0o644))
}

// versions describes what the oracle tests, and with what.
func (l suite) versions(t *testing.T) string {
	t.Helper()
	qemu, err := exec.Command("qemu-system-x86_64", "--version").Output()
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(qemu), "\n")
	return "dkms-hooks " + l.ours.Must(t, "dpkg-query -W -f '${Version}, dkms ' dkms-hooks; dpkg-query -W -f '${Version}' dkms") + ", " + first
}
