package dkmsstate

import (
	"go/parser"
	"go/token"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// Planning reads nothing: what is on the disk meanwhile changes no plan.
func TestOneSnapshotGivesOnePlan(t *testing.T) {
	one, two := Module{"one", "1.0"}, Module{"two", "1.0"}
	for name, change := range map[string]func(f fabricated){
		"all in order": func(f fabricated) {},
		"a build that is not compressed": func(f fabricated) {
			f.write("lib/modules/6.1.0-test/kernel/own.ko.xz", "x")
			f.write("lib/modules/6.1.0-test/modules.dep", "kernel/own.ko.xz:\n")
		},
		"modules.dep names what is gone": func(f fabricated) {
			f.write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko:\nupdates/dkms/gone.ko:\n")
			f.write("lib/modules/6.1.0-test/modules.dep.bin", "updates/dkms/one.ko:\nupdates/dkms/gone.ko:\n")
		},
		"modules.dep names one in a subdirectory": func(f fabricated) {
			f.write("lib/modules/6.1.0-test/updates/dkms/sub/other.ko", "x")
			f.write("lib/modules/6.1.0-test/modules.dep", "updates/dkms/one.ko:\nupdates/dkms/sub/other.ko:\n")
			f.write("lib/modules/6.1.0-test/modules.dep.bin", "updates/dkms/one.ko:\nupdates/dkms/sub/other.ko:\n")
		},
		"a damaged file":       func(f fabricated) { f.write(f.installedFile("one.ko"), "") },
		"another kernel's":     func(f fabricated) { f.installOf(one, kmodtest.Module{Vermagic: "6.2.0 SMP "}) },
		"a file that is alone": func(f fabricated) { f.write(f.installedFile("stray.ko"), "x") },
		"not built":            func(f fabricated) { f.removeAll("var/lib/dkms/one/1.0/6.1.0-test") },
		"no headers":           func(f fabricated) { f.removeAll("lib/modules/6.1.0-test/build") },
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.register(two, "BUILD_DEPENDS=one\n")
			f.build(one)
			f.install(one)
			change(f)
			s := f.snapshot()
			rec := KernelRecord{Last: map[string]Last{two.String(): {Result: LastFailed, Inputs: s.Inputs(two.String())}}}
			s.Examine(t.Context(), rec)
			plan := func() (Plan, Plan, string) {
				return PlanAutoinstall(s, Goal{}), PlanUnbuild(s), s.Inputs(two.String())
			}
			brings, takes, inputs := plan()
			require.NoError(t, os.RemoveAll(f.layout.Root))
			brings2, takes2, inputs2 := plan()
			assert.Equal(t, brings, brings2)
			assert.Equal(t, takes, takes2)
			assert.Equal(t, inputs, inputs2)
		})
	}
}

// What plans has no way to read.
func TestPlanningImportsNothingThatReads(t *testing.T) {
	for _, name := range []string{"plan.go", "plan_autoinstall.go", "plan_clean.go", "plan_unbuild.go", "goal.go", "dependencies.go", "problems.go", "lookup.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			assert.NotContains(t, []string{`"os"`, `"os/exec"`, `"io/fs"`, `"path/filepath"`, `"dkms-hooks/dkmsstate/nofollow"`, `"dkms-hooks/dkmsstate/regular"`}, spec.Path.Value, name)
		}
	}
}
