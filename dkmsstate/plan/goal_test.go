package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// A run that was not called for a kernel keeps what is installed there, and does not bring in
// what an administrator may have removed.
func TestKeepOnly(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, row := range map[string]struct {
		given      func(f dkmstest.Root)
		keep, full []Op
	}{
		"never built": {func(f dkmstest.Root) {}, nil, []Op{OpBuild, OpInstall}},
		"uninstalled": {func(f dkmstest.Root) { f.AddBuild(one) }, nil, []Op{OpInstall}},
		"an older version kept": {func(f dkmstest.Root) {
			f.Register(dkmsstate.Module{Name: "one", Version: "2.0"}, "")
			f.AddInstalled(one)
		}, nil, []Op{OpBuild, OpInstall}},
		"its file gone":  {func(f dkmstest.Root) { f.AddInstalled(one); f.Remove(f.InstalledFile("one.ko")) }, []Op{OpRestore}, []Op{OpRestore}},
		"its build gone": {func(f dkmstest.Root) { f.AddInstalled(one); f.RemoveAll("var/lib/dkms/one/1.0/6.1.0-test") }, []Op{OpBuild, OpRestore}, []Op{OpBuild, OpRestore}},
		"its link gone":  {func(f dkmstest.Root) { f.AddInstalled(one); f.Remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64") }, []Op{OpRestore}, []Op{OpRestore}},
		"its link gone, its file signed": {func(f dkmstest.Root) {
			f.AddInstalled(one)
			f.Write(f.InstalledFile("one.ko"), string(kmodtest.Sign([]byte(dkmstest.BuiltOf(one)), "owner")))
			f.Remove("var/lib/dkms/one/kernel-6.1.0-test-x86_64")
		}, nil, []Op{OpInstall}},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			row.given(f)
			s := f.Snapshot()
			assert.Equal(t, row.keep, opsOf(Autoinstall(s, KeepOnly())))
			assert.Equal(t, row.full, opsOf(Autoinstall(s, Goal{})))
			ignored := Goal{Ignored: func(m dkmsstate.Module) bool { return m.Name == "one" }}
			assert.Subset(t, append(row.keep, OpRestore), opsOf(Autoinstall(s, ignored)), "what is ignored is not brought in")
			only := Goal{BringIn: func(m dkmsstate.Module) bool { return m.Name == "one" }}
			assert.Equal(t, row.full, opsOf(Autoinstall(s, only)))
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
