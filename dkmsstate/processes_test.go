package dkmsstate

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcesses(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	name, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(string(name)), commOf(self))
	assert.True(t, atWork(func(pid string) bool { return pid == self }))
	assert.Empty(t, commOf("99999999"))
}
