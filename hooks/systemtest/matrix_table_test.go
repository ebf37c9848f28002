//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// matrix is the table of what became of every row in one suite.
type matrix struct {
	suite suite
	// made is the target of make that writes the table into dir, title its heading.
	made, title, dir string
	styles           []string
	// versions are those of dpkg and dkms.
	versions string
	mu       sync.Mutex
	rows     []outcome
}

func (l suite) newMatrix(t *testing.T, m *matrix) *matrix {
	t.Helper()
	versions := l.stock.Must(t, `dpkg-query -W -f '${Package} ${Version}, ' dpkg dkms`)
	m.suite, m.versions = l, strings.TrimSuffix(versions, ", ")
	return m
}

func (m *matrix) add(o outcome) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows = append(m.rows, o)
}

// write prints how many cells are right, and puts the table where it is asked for.
func (m *matrix) write(t *testing.T) {
	t.Helper()
	table := m.String()
	head, _, _ := strings.Cut(table, "\n| ")
	t.Logf("%s", head)
	if m.dir != "" {
		require.NoError(t, os.MkdirAll(m.dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(m.dir, m.suite.Name+".md"), []byte(table), 0o644))
	}
}

// String is the table in Markdown.
func (m *matrix) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %s\n\n", m.title, m.suite.Name)
	fmt.Fprintf(&b, "Made by `make %s` on %s with %s, kernel %s.\n", m.made, time.Now().UTC().Format(time.DateOnly), m.versions, m.suite.Kver)
	fmt.Fprintf(&b, "K is the kernel that the row is about, OTHER a second one. A cell says in what the end differs from what it\n")
	fmt.Fprintf(&b, "should be, and the seconds that the whole row took. Ours is wrong also where it compiles again what should be kept.\n\n")
	for _, style := range m.styles {
		right, stock, ours := m.count(style)
		fmt.Fprintf(&b, "- %s: right cells, stock %d, dkms-hooks %d, of %d\n", style, stock, ours, right)
	}
	for _, style := range m.styles {
		fmt.Fprintf(&b, "\n## %s\n\n", style)
		fmt.Fprintf(&b, "| transition | what our hooks were asked and said | should be | stock | dkms-hooks |\n|---|---|---|---|---|\n")
		for _, o := range m.rows {
			if o.style != style {
				continue
			}
			cells := []string{o.row.name, strings.Join(o.calls, "<br>"), o.row.want.String(), m.cell(o.stock), m.cell(o.ours)}
			for i, cell := range cells {
				cells[i] = strings.ReplaceAll(cell, "|", `\|`)
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
	}
	return b.String()
}

func (m *matrix) cell(c cell) string {
	verdict := "right"
	if len(c.wrong) > 0 {
		verdict = "**wrong**: " + m.suite.shorten(strings.Join(c.wrong, "; "))
	}
	return fmt.Sprintf("%s (%.1f s)", verdict, c.took.Seconds())
}

// count says how many rows of a style there are, and how many are right.
func (m *matrix) count(style string) (all, stock, ours int) {
	for _, o := range m.rows {
		if o.style != style {
			continue
		}
		all++
		if len(o.stock.wrong) == 0 {
			stock++
		}
		if len(o.ours.wrong) == 0 {
			ours++
		}
	}
	return all, stock, ours
}
