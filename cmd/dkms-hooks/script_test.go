package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dkms-hooks/hooks"
)

// The programs run as themselves in the stories.
func TestMain(m *testing.M) {
	hook := func(h hooks.Hook) func() int {
		return measured(func() int { return hooks.Main(h, os.Args, os.Environ(), os.Stderr) })
	}
	os.Exit(testscript.RunMain(m, map[string]func() int{
		"dkms-hooks":      measured(func() int { return run(os.Args, os.Environ(), os.Stdout, os.Stderr) }),
		"prerm":           hook(hooks.Prerm),
		"postrm":          hook(hooks.Postrm),
		"postinst":        hook(hooks.Postinst),
		"header_postinst": hook(hooks.HeaderPostinst),
	}))
}

// Each story is a root of its own, given by DPKG_ROOT, where dkms cannot be run:
// what needs dkms itself is shown by the integration suite.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("DPKG_ROOT", env.WorkDir)
			return nil
		},
	})
}
