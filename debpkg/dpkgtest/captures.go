// Package dpkgtest has dpkg's database as hooks saw it in real transitions, for tests.
package dpkgtest

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// Captures extracts the captures below a directory, testdata/dpkg/captures, into a temporary
// one: a directory for each call of a hook, below STYLE/TRANSITION.
func Captures(t *testing.T, from string) string {
	t.Helper()
	dir := t.TempDir()
	archives, err := filepath.Glob(filepath.Join(from, "*/*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, file := range archives {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		transition, err := filepath.Rel(from, strings.TrimSuffix(file, ".txtar"))
		require.NoError(t, err)
		require.NoError(t, txtar.Write(archive, filepath.Join(dir, transition)))
	}
	return dir
}
