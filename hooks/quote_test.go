package hooks

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A command that is printed means the file that it is about, whatever its name is.
func TestQuoted(t *testing.T) {
	assert.Equal(t, "/lib/modules/6.1/updates/dkms/m.ko.xz", quoted("/lib/modules/6.1/updates/dkms/m.ko.xz"))
	for _, path := range []string{"m*.ko", "a b;touch x.ko", "alph\x01.ko", "$(id)'\"`.ko", "~/x", "\n.ko", "ä.ko"} {
		out, err := exec.Command("bash", "-c", "printf %s "+quoted(path)).Output()
		require.NoError(t, err, path)
		assert.Equal(t, path, string(out), quoted(path))
		assert.Equal(t, WithoutControls(quoted(path)), quoted(path), "it can be printed")
	}
}
