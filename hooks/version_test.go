package hooks

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersionIsTheOneInTheChangelog(t *testing.T) {
	data, err := os.ReadFile("../debian/changelog")
	require.NoError(t, err)
	assert.Regexp(t, `^dkms-hooks \(`+Version+`[~)]`, string(data))
}
