package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
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
		// A column for each suite, then a line for either kind of hooks.
		rows := regexp.MustCompile(`(?m)^\| ((?:\| (?:bullseye|bookworm|trixie|sid) )+)\|\n.*\n\| stock hooks, of (\d+) ((?:\| \d+ )+)\|\n\| dkms-hooks, of (\d+) ((?:\| \d+ )+)\|$`).FindStringSubmatch(string(text))
		require.NotNil(t, rows, page)
		suites, stock, ours := columns(rows[1]), columns(rows[3]), columns(rows[5])
		for i, suite := range suites {
			assert.Equal(t, rightCells(t, dir, suite), []string{rows[2], stock[i], rows[4], ours[i]}, "%s: %s", page, suite)
		}
	}
}

// columns are the cells of a line.
func columns(line string) []string { return strings.Fields(strings.ReplaceAll(line, "|", " ")) }

// rightCells are the rows of a table and how many are right with the stock hooks, and the same
// for ours, over all styles of kernel packages.
func rightCells(t *testing.T, dir, suite string) []string {
	t.Helper()
	table, err := os.ReadFile(filepath.Join("..", "..", "testdata", dir, suite+".md"))
	require.NoError(t, err)
	var all, stock, ours int
	for _, style := range regexp.MustCompile(`(?m)^- .*: right cells, .*$`).FindAllString(string(table), -1) {
		var s, o, n int
		_, err := fmt.Sscanf(style[strings.Index(style, ": ")+2:], "right cells, stock %d, dkms-hooks %d, of %d", &s, &o, &n)
		require.NoError(t, err, style)
		all, stock, ours = all+n, stock+s, ours+o
	}
	n := strconv.Itoa(all)
	return []string{n, strconv.Itoa(stock), n, strconv.Itoa(ours)}
}
