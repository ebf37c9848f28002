package main

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dkms-hooks/hooks"
)

// peakFile is the variable that names a file. A program writes its peak memory to it.
const peakFile = "TEST_PEAK_FILE"

// measured returns a program that also writes its peak memory to peakFile.
func measured(program func() int) func() int {
	return func() int {
		code := program()
		if path := os.Getenv(peakFile); path != "" {
			status, _ := os.ReadFile("/proc/self/status")
			_, peak, _ := strings.Cut(string(status), "VmHWM:")
			kilobytes, _, _ := strings.Cut(strings.TrimSpace(peak), " ")
			_ = os.WriteFile(path, []byte(kilobytes), 0o644)
		}
		return code
	}
}

// TestMain makes the programs available to the scripts.
func TestMain(m *testing.M) {
	hook := func(h hooks.Hook) func() int {
		return measured(func() int { return hooks.Main(h, os.Args, os.Environ(), os.Stderr) })
	}
	os.Exit(testscript.RunMain(m, map[string]func() int{
		"dkms-hooks":      measured(func() int { return runApp(os.Args, os.Environ(), os.Stdout, os.Stderr) }),
		"prerm":           hook(hooks.Prerm),
		"postrm":          hook(hooks.Postrm),
		"postinst":        hook(hooks.Postinst),
		"header_postinst": hook(hooks.HeaderPostinst),
	}))
}

// Each script has a root of its own, given by DPKG_ROOT. dkms cannot be run there: what needs
// dkms is tested by the integration suite. Nothing that is printed about the root, as it is before the
// story, or when the hooks run after it, is a command that acts on the running system.
func TestStories(t *testing.T) {
	var alone sync.Mutex // urfave/cli has flags that all calls in a process share
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("DPKG_ROOT", env.WorkDir)
			inRoots := func(environ []string, calls func(root string) [][]string) {
				alone.Lock()
				defer alone.Unlock()
				for _, root := range systems(env.WorkDir) {
					requireInRoot(t, root, environ, calls(root))
				}
			}
			inRoots(nil, views)
			env.Defer(func() {
				inRoots([]string{"DPKG_MAINTSCRIPT_NAME=postinst", "DPKG_MAINTSCRIPT_PACKAGE=p", "DEB_MAINT_PARAMS=configure"}, changes)
			})
			return nil
		},
	})
}
