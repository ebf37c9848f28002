package hooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// In a root whose name has a blank, each command means that root.
func TestCommandsInARoot(t *testing.T) {
	root := filepath.Join(t.TempDir(), "my root")
	layout := dkmsstate.DefaultLayout(root)
	for name, prepare := range map[string]func(path string){
		"no directory": func(path string) { require.NoError(t, os.Remove(filepath.Dir(path))) },
		"no link":      func(string) {},
		"a file":       func(path string) { require.NoError(t, os.WriteFile(path, nil, 0o644)) },
		"another link": func(path string) { require.NoError(t, os.Symlink("../../.."+programDir+"/prerm", path)) },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.RemoveAll(root))
			l := links(layout)[0]
			require.NoError(t, os.MkdirAll(filepath.Dir(l.path), 0o755))
			prepare(l.path)
			out, err := exec.Command("bash", "-c", l.command(false)).CombinedOutput()
			require.NoError(t, err, string(out))
			target, err := os.Readlink(l.path)
			require.NoError(t, err)
			assert.Equal(t, l.target(), target)
		})
	}
}

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
