package debpkg

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	const rest = " S 41 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 2"
	for stat, want := range map[string]process{
		"42 (dpkg)" + rest:        {"dpkg", 41, 98765},
		"42 (a) b (c)" + rest:     {"a) b (c", 41, 98765},
		"42 (new\nline)" + rest:   {"new\nline", 41, 98765},
		"42 ()" + rest + " 1 2 3": {"", 41, 98765},
	} {
		got, err := parseStat(stat)
		require.NoError(t, err, stat)
		assert.Equal(t, want, got, stat)
	}
	for _, stat := range []string{"", "42", ")(", "42 (dpkg)", "42 (dpkg) S 41", "42 (dpkg) S x" + rest[5:]} {
		_, err := parseStat(stat)
		assert.Error(t, err, stat)
	}
}

func TestStatOfThisProcess(t *testing.T) {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(os.Getpid()) + "/stat")
	require.NoError(t, err)
	p, err := parseStat(string(data))
	require.NoError(t, err)
	assert.Equal(t, os.Getppid(), p.parent)
	assert.NotZero(t, p.started)
}

func TestRunStarted(t *testing.T) {
	assert.Zero(t, RunStarted(false), "no dpkg runs this")
}
