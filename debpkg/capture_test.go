package debpkg

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dkms-hooks/debpkg/dpkgtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In every call that a real dpkg made of a hook, the merged database equals the output of
// dpkg-query at that moment.
func TestDatabaseAgreesWithDpkgQuery(t *testing.T) {
	dir := dpkgtest.Captures(t, "../testdata/dpkg/captures")
	calls, err := filepath.Glob(filepath.Join(dir, "*/*/*/dpkg-query"))
	require.NoError(t, err)
	require.Greater(t, len(calls), 80)
	for _, call := range calls {
		t.Run(strings.TrimPrefix(filepath.Dir(call), dir+"/"), func(t *testing.T) {
			oracle, err := os.ReadFile(call)
			require.NoError(t, err)
			db, err := Open(filepath.Join(filepath.Dir(call), "dpkg"))
			require.NoError(t, err)
			require.Empty(t, db.Troubles())
			for line := range strings.Lines(string(oracle)) {
				words := strings.Fields(line)
				if len(words) != 5 || !strings.HasPrefix(words[4], "linux-image") {
					continue
				}
				p, ok := db.Lookup(words[4], "amd64")
				require.True(t, ok, words[4])
				assert.Equal(t, strings.Join(words[:3], " "), p.Status.String())
				assert.Equal(t, words[3], p.Version)
			}
		})
	}
}
