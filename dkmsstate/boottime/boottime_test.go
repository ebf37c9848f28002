package boottime

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAt(t *testing.T) {
	for text, want := range map[string]int64{
		"cpu  1 2\nbtime 1700000000\nprocesses 3\n": 1700000000,
		"btime x\n": 0, "": 0, "cpu 1\nbtime": 0,
	} {
		root := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(root, "proc"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "proc/stat"), []byte(text), 0o644))
		when, known := At(root)
		assert.Equal(t, want != 0, known, text)
		if known {
			assert.Equal(t, want, when.Unix(), text)
		}
	}
	_, known := At(t.TempDir())
	assert.False(t, known)
	when, known := At("/")
	assert.True(t, known)
	assert.WithinRange(t, when, time.Now().Add(-100*365*24*time.Hour), time.Now())
}
