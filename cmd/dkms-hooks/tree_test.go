package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// tree is a root directory that a test lays out, by paths below it.
type tree struct {
	t    *testing.T
	root string
}

func newTree(t *testing.T) tree { return tree{t, t.TempDir()} }

func (d tree) path(name string) string {
	path := filepath.Join(d.root, name)
	require.NoError(d.t, os.MkdirAll(filepath.Dir(path), 0o755))
	return path
}

func (d tree) write(name, text string) {
	require.NoError(d.t, os.WriteFile(d.path(name), []byte(text), 0o755))
}

func (d tree) link(target, name string) {
	require.NoError(d.t, os.Symlink(target, d.path(name)))
}
