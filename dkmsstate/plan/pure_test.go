package plan

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// Planning reads nothing: changes on the disk do not change a plan.
func TestOneSnapshotGivesOnePlan(t *testing.T) {
	one, two := dkmsstate.Module{Name: "one", Version: "1.0"}, dkmsstate.Module{Name: "two", Version: "1.0"}
	for name, change := range map[string]func(f dkmstest.Root){
		"all in order": func(f dkmstest.Root) {},
		"a build that is not compressed": func(f dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/kernel/own.ko.xz", "x")
			f.Write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko.xz:\n")
		},
		"modules.dep names what is gone": func(f dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko:\nupdates/dkms/gone.ko:\n")
			f.Write("lib/modules/6.1.0-test/modules.dep.bin", "updates/dkms/one.ko:\nupdates/dkms/gone.ko:\n")
		},
		"modules.dep names one in a subdirectory": func(f dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/updates/dkms/sub/other.ko", "x")
			f.Write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko:\nupdates/dkms/sub/other.ko:\n")
			f.Write("lib/modules/6.1.0-test/modules.dep.bin", "updates/dkms/one.ko:\nupdates/dkms/sub/other.ko:\n")
		},
		"another file is loaded": func(f dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/extra/one.ko", "x")
			f.Write("lib/modules/6.1.0-test/modules.dep", "extra/one.ko:\n")
			f.Write("lib/modules/6.1.0-test/modules.dep.bin", "extra/one.ko:\n")
			f.Write("etc/depmod.d/a.conf", "override one * extra\n")
		},
		"a damaged file":       func(f dkmstest.Root) { f.Write(f.InstalledFile("one.ko"), "") },
		"another kernel's":     func(f dkmstest.Root) { f.InstallOf(one, kmodtest.Module{Vermagic: "6.2.0 SMP "}) },
		"a file that is alone": func(f dkmstest.Root) { f.Write(f.InstalledFile("stray.ko"), "x") },
		"not built":            func(f dkmstest.Root) { f.RemoveAll("var/lib/dkms/one/1.0/6.1.0-test") },
		"no headers":           func(f dkmstest.Root) { f.RemoveAll("lib/modules/6.1.0-test/build") },
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.Register(two, "BUILD_DEPENDS=one\n")
			f.AddBuild(one)
			f.AddInstalled(one)
			change(f)
			s := f.Snapshot()
			rec := dkmsstate.KernelRecord{Last: map[string]dkmsstate.Last{two.String(): {Result: dkmsstate.LastFailed, Inputs: s.Inputs(two.String())}}}
			fresh.Examine(t.Context(), &s, rec)
			plan := func() (Plan, Plan, string) {
				return Autoinstall(s, Goal{}), Unbuild(s), s.Inputs(two.String())
			}
			brings, takes, inputs := plan()
			require.NoError(t, os.RemoveAll(f.Layout.Root))
			brings2, takes2, inputs2 := plan()
			assert.Equal(t, brings, brings2)
			assert.Equal(t, takes, takes2)
			assert.Equal(t, inputs, inputs2)
		})
	}
}

// The package imports nothing by which it could read.
func TestPlanningImportsNothingThatReads(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			assert.Contains(t, []string{`"errors"`, `"fmt"`, `"path"`, `"slices"`, `"strings"`, `"dkms-hooks/dkmsstate"`, `"dkms-hooks/dkmsstate/kmod"`}, spec.Path.Value, name)
		}
	}
}
