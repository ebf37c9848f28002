package dkmsstate

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// A run that was not called for a kernel keeps what is installed there, and leaves off what
// an administrator may have taken off.
func TestKeepOnly(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, row := range map[string]struct {
		given      func(f fabricated)
		keep, full []Op
	}{
		"never built":           {func(f fabricated) {}, nil, []Op{OpBuild, OpInstall}},
		"uninstalled":           {func(f fabricated) { f.build(one) }, nil, []Op{OpInstall}},
		"an older version kept": {func(f fabricated) { f.register(Module{"one", "2.0"}, ""); f.install(one) }, nil, []Op{OpBuild, OpInstall}},
		"its file gone":         {func(f fabricated) { f.install(one); f.remove(f.installedFile("one.ko")) }, []Op{OpRestore}, []Op{OpRestore}},
		"its build gone":        {func(f fabricated) { f.install(one); f.removeAll("var/lib/dkms/one/1.0/6.1.0-test") }, []Op{OpBuild, OpRestore}, []Op{OpBuild, OpRestore}},
		"its link gone":         {func(f fabricated) { f.install(one); f.remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64") }, []Op{OpRestore}, []Op{OpRestore}},
		"its link gone, its file signed": {func(f fabricated) {
			f.install(one)
			f.write(f.installedFile("one.ko"), string(kmodtest.Sign([]byte(builtOf(one)), "owner")))
			f.remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64")
		}, nil, []Op{OpInstall}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			row.given(f)
			s := f.snapshot()
			assert.Equal(t, row.keep, opsOf(PlanAutoinstall(s, KeepOnly())))
			assert.Equal(t, row.full, opsOf(PlanAutoinstall(s, Goal{})))
			ignored := Goal{Ignored: func(m Module) bool { return m.Name == "one" }}
			assert.Subset(t, append(row.keep, OpRestore), opsOf(PlanAutoinstall(s, ignored)), "what is ignored is not brought in")
			only := Goal{BringIn: func(m Module) bool { return m.Name == "one" }}
			assert.Equal(t, row.full, opsOf(PlanAutoinstall(s, only)))
		})
	}
}

func opsOf(p Plan) []Op {
	var ops []Op
	for _, task := range p.Tasks {
		for _, step := range task.Steps {
			ops = append(ops, step.Op)
		}
	}
	return ops
}
