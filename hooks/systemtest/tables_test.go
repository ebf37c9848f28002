package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pages give the numbers of the tables that make matrix and make callers wrote.
func TestPagesCountAsTheTables(t *testing.T) {
	for page, dir := range map[string]string{"README.md": "matrix", "docs/comparison.md": "callers"} {
		text, err := os.ReadFile(filepath.Join("..", "..", page))
		require.NoError(t, err)
		tables, err := filepath.Glob(filepath.Join("..", "..", "testdata", dir, "*.md"))
		require.NoError(t, err)
		// A column for each suite, then a line for either kind of hooks.
		lines := regexp.MustCompile(`(?m)^\| \|((?: (?:bullseye|bookworm|trixie|sid) \|)+)\n.*\n\| stock hooks \|(.*)\|\n\| dkms-hooks \|(.*)\|$`).FindStringSubmatch(string(text))
		require.NotNil(t, lines, page)
		suites := columns(lines[1])
		assert.Len(t, suites, len(tables), "%s: each table has a column", page)
		for i, suite := range suites {
			stock, ours := rightCells(t, dir, suite)
			assert.Equal(t, []string{stock, ours}, []string{columns(lines[2])[i], columns(lines[3])[i]}, "%s: %s", page, suite)
		}
	}
}

// columns are the cells of a line.
func columns(line string) []string {
	cells := strings.Split(strings.Trim(line, " |"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// rightCells says of how many rows of a table how many are right with the stock hooks, and with
// ours, over all styles of kernel packages.
func rightCells(t *testing.T, dir, suite string) (stock, ours string) {
	t.Helper()
	table, err := os.ReadFile(filepath.Join("..", "..", "testdata", dir, suite+".md"))
	require.NoError(t, err)
	var all, byStock, byOurs int
	for _, style := range regexp.MustCompile(`(?m)^- .*: (right cells, .*)$`).FindAllStringSubmatch(string(table), -1) {
		var s, o, n int
		_, err := fmt.Sscanf(style[1], "right cells, stock %d, dkms-hooks %d, of %d", &s, &o, &n)
		require.NoError(t, err, style[1])
		all, byStock, byOurs = all+n, byStock+s, byOurs+o
	}
	return fmt.Sprintf("%d of %d", byStock, all), fmt.Sprintf("%d of %d", byOurs, all)
}
