package record

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

func TestLogEndsAtItsLimit(t *testing.T) {
	l := dkmsstate.Layout{Root: t.TempDir()}
	log := NewLog(l, dkmsstate.Module{Name: "m", Version: "1"}, "6.1")
	assert.Empty(t, NewLog(l, dkmsstate.Module{Name: "m", Version: "2"}, "6.1").Close(), "none without a word")
	log.left = 10
	for range 3 {
		n, err := log.Write([]byte("12345678"))
		assert.Equal(t, 8, n)
		assert.NoError(t, err)
	}
	path := log.Close()
	data, err := regular.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(data), "1234567812\n… the log is truncated here at its size limit\n")
	require.NoError(t, RemoveLogs(l, "6.1"))
	assert.NoFileExists(t, path)
	require.NoError(t, RemoveLogs(l, "6.1"))
}
