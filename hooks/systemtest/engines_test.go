//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// engineRows are the transitions that are played with each dkms, in one style of kernel
// packages: installing, upgrading and removing a kernel, in the ways in which versions of dkms
// differ.
func engineRows() []string {
	return []string{
		"headers installed, then the image", "image reinstalled", "upgraded to a new revision", "upgraded while headers are gone",
		"upgrade fails in preinst", "apt purge", "removed, installed again",
		"removal aborted by a later hook", "/lib/modules wiped, then reinstalled",
	}
}

// engineStyle is the style of kernel packages of these transitions.
const engineStyle = "debian"

// testEngines plays some transitions with the dkms of source trees in the place of the suite's
// own, with the hooks that come with it and with ours. Ours must be right.
func testEngines(t *testing.T, l suite) {
	if l.engines == "" {
		t.Skip("-engines names no sources of dkms")
	}
	sources := engineSources(t, l.engines)
	rows, err := readRows("transitions")
	require.NoError(t, err)
	rows = slices.DeleteFunc(rows, func(r row) bool { return !slices.Contains(engineRows(), r.name) })
	require.Len(t, rows, len(engineRows()))
	l.withStock = true
	var tables []string
	for _, source := range sources {
		t.Run(filepath.Base(source), func(t *testing.T) { tables = append(tables, l.playEngine(t, source, rows)) })
		l.writeEngines(t, tables) // what there is so far
	}
}

// engineSources returns a source tree of dkms, or those in a directory of several.
func engineSources(t *testing.T, dir string) []string {
	t.Helper()
	isSource := func(dir string) bool {
		_, err := os.Stat(filepath.Join(dir, "Makefile"))
		script, _ := filepath.Glob(filepath.Join(dir, "dkms*"))
		return err == nil && len(script) > 0
	}
	if isSource(dir) {
		return []string{dir}
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var sources []string
	for _, entry := range entries {
		if source := filepath.Join(dir, entry.Name()); isSource(source) {
			sources = append(sources, source)
		}
	}
	require.NotEmpty(t, sources, "no source of dkms in %s", dir)
	return sources
}

// installEngine replaces the program and the hooks of the suite's dkms by those of a source
// tree, as its own install-debian has them. The package counts as installed as it was.
const installEngine = `dpkg -L dkms | grep -v -e ^/etc/dkms -e ^/usr/share/doc -e ^/var | while read -r file; do
	[ -d "$file" ] || rm -f "$file"
done
make -s -C /srv/engine install-debian >/srv/engine.log 2>&1 || { cat /srv/engine.log; exit 1; }
rm -r /srv/engine
dkms --version`

// withEngine forks a root and puts a dkms into it. It returns the version that it names.
func (l suite) withEngine(t *testing.T, from lab.Root, source string) (lab.Root, string) {
	t.Helper()
	r := from.Fork(t, l.Scratch)
	r.Must(t, "dpkg -P acpi-call-dkms") // two modules are enough here
	require.NoError(t, os.CopyFS(r.Path("srv", "engine"), os.DirFS(source)))
	out := strings.TrimSpace(r.Must(t, installEngine))
	version := out[strings.LastIndexAny(out, " \n-")+1:]
	require.NotEmpty(t, version, out)
	return r, version
}

// playEngine plays the rows with one dkms, and returns its part of the table.
func (l suite) playEngine(t *testing.T, source string, rows []row) string {
	t.Helper()
	stockRoot, version := l.withEngine(t, l.stock, source)
	oursRoot := l.InstallOurs(t, stockRoot)
	m := l.newMatrix(t, &matrix{styles: []string{engineStyle}})
	stock, ours := l.settled(t, stockRoot, engineStyle), l.settled(t, oursRoot, engineStyle)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) { m.play(t, engineStyle, r, stock, ours) })
	}
	return m.ofEngine(version)
}

// ofEngine is the table of one dkms in Markdown.
func (m *matrix) ofEngine(version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## dkms %s\n\n", version)
	all, stock, ours := m.count(engineStyle)
	fmt.Fprintf(&b, "Right cells: stock %d, dkms-hooks %d, of %d.\n", stock, ours, all)
	fmt.Fprintf(&b, "\n| transition | should be | stock | dkms-hooks |\n|---|---|---|---|\n")
	for _, o := range m.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", o.row.name, o.row.want.String(), m.cell(o.stock), m.cell(o.ours))
	}
	return b.String()
}

// writeEngines prints the tables, and puts them where -engines-table says.
func (l suite) writeEngines(t *testing.T, tables []string) {
	t.Helper()
	head := fmt.Sprintf("# The same transitions with other versions of dkms: %s\n\nMade by `make engines` on %s, kernel %s. Each dkms is that of its source tree, "+
		"in the place of the suite's own;\nstock means its own hooks.\n", l.Name, time.Now().UTC().Format(time.DateOnly), l.Kver)
	table := head + strings.Join(tables, "")
	t.Logf("%s", table)
	if l.enginesTable != "" {
		require.NoError(t, os.MkdirAll(l.enginesTable, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(l.enginesTable, l.Name+".md"), []byte(table), 0o644))
	}
}
