package dkmsstate_test

import (
	"math/rand"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/modprobe"
	"dkms-hooks/dkmsstate/plan"
)

const modulesDir = "lib/modules/" + string(dkmstest.Kernel) + "/"

// names writes the files of depmod with these modules.
func names(f dkmstest.Root, files ...string) {
	text := strings.Join(files, ":\n") + ":\n"
	f.Write(modulesDir+"modules.dep", text)
	f.Write(modulesDir+"modules.dep.bin", text)
}

// Which file is loaded in the place of an installed one, for which line, and whether depmod
// would help.
func TestShadows(t *testing.T) {
	m := dkmsstate.Module{Name: "be-ta", Version: "1.0"}
	const installed, other = "updates/dkms/be-ta.ko", "extra/be_ta.ko.xz"
	for name, c := range map[string]struct {
		make     func(f dkmstest.Root)
		by       string
		line     int
		accepted string
		certain  bool
		reason   string
	}{
		"modules.dep names it":       {make: func(f dkmstest.Root) { names(f, installed, "kernel/own.ko") }},
		"modules.dep names nothing":  {make: func(f dkmstest.Root) { names(f, "kernel/own.ko") }, reason: "modules.dep does not name be-ta.ko"},
		"the other one is gone":      {make: func(f dkmstest.Root) { names(f, "extra/be-ta.ko") }, reason: "modules.dep does not name be-ta.ko"},
		"modules.dep is out of date": {make: func(f dkmstest.Root) { names(f, other) }, by: other, reason: "modules.dep names extra/be_ta.ko.xz in place of updates/dkms/be-ta.ko"},
		"depmod did not help":        {make: func(f dkmstest.Root) { names(f, other) }, by: other, accepted: "x", certain: true},
		"only the text names it": {make: func(f dkmstest.Root) {
			names(f, other)
			f.Write(modulesDir+"modules.dep.bin", "")
		}, reason: "modules.dep does not name be-ta.ko"},
		"search": {make: func(f dkmstest.Root) {
			names(f, other)
			f.Write("etc/depmod.d/a.conf", "search extra updates built-in\n")
		}, by: other, line: 1, certain: true},
		"override of the kernel's own": {make: func(f dkmstest.Root) {
			f.Write(modulesDir+"kernel/a/be-ta.ko", "x")
			names(f, "kernel/a/be-ta.ko")
			f.Write("etc/depmod.d/a.conf", "#\noverride be-ta * kernel/a\n")
		}, by: "kernel/a/be-ta.ko", line: 2, certain: true},
		"external": {make: func(f dkmstest.Root) {
			f.Write("srv/be-ta.ko", "x")
			names(f, "/srv/be-ta.ko")
			f.Write("etc/depmod.d/a.conf", "search external updates\nexternal * /srv\n")
		}, by: "/srv/be-ta.ko", line: 2, certain: true},
		"excluded": {make: func(f dkmstest.Root) {
			names(f, "kernel/own.ko")
			f.Write("etc/depmod.d/a.conf", "exclude dkms\n")
		}, line: 1, reason: `modules.dep does not name be-ta.ko ("exclude dkms" in /etc/depmod.d/a.conf line 1)`},
		"excluded, and depmod was run": {make: func(f dkmstest.Root) {
			names(f, "kernel/own.ko")
			f.Write("etc/depmod.d/a.conf", "exclude dkms\n")
		}, line: 1, accepted: "x", certain: true},
		"not installed, as the kernel has it": {make: func(f dkmstest.Root) {
			f.Remove(f.InstalledFile("be-ta.ko"))
			f.Write(modulesDir+"kernel/be-ta.ko", "x")
			names(f, "kernel/be-ta.ko")
		}, by: "kernel/be-ta.ko", certain: true},
		"another compression": {make: func(f dkmstest.Root) {
			f.Write(f.InstalledFile("be-ta.ko.gz"), dkmstest.BuiltOf(dkmsstate.Module{Name: "other", Version: "1"}))
			names(f, "updates/dkms/be-ta.ko.gz")
		}, by: "updates/dkms/be-ta.ko.gz", accepted: "x", certain: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(m, "")
			f.AddInstalled(m)
			f.Write(modulesDir+other, "x")
			c.make(f)
			kept := dkmsstate.KernelRecord{Dep: f.Snapshot().Dep.DepRecord}
			kept.Dep.Accepted = c.accepted
			s, err := dkmsstate.ReadSnapshot(f.Layout, dkmstest.Kernel, dkmstest.Arch, kept)
			require.NoError(t, err)
			sh, shadowed := s.Shadow(installed)
			assert.Equal(t, c.by, sh.By)
			assert.Equal(t, c.by != "" || c.line > 0, shadowed)
			assert.Equal(t, c.line, sh.Line.Number)
			assert.Equal(t, c.certain, sh.Certain)
			assert.Equal(t, c.reason, plan.DepmodReason(s))
			assert.Len(t, s.ShadowsOf(s.Builds[0]), len(s.Shadows))
		})
	}
}

// Whatever the configuration and wherever there are copies of a module: if depmod takes another
// file than the installed one, that file is named, and another depmod is not asked for. If it
// takes the installed one, it would do so again.
func TestShadowsAsDepmodDecides(t *testing.T) {
	depmod, err := exec.LookPath("depmod")
	if err != nil {
		t.Skip(err)
	}
	draw := rand.New(rand.NewSource(1))
	one := func(of ...string) string { return of[draw.Intn(len(of))] }
	m := dkmsstate.Module{Name: "be-ta", Version: "1.0"}
	shadowed := 0
	for range 60 {
		f := dkmstest.New(t)
		f.Register(m, "")
		f.AddInstalled(m)
		f.Link(f.Layout.Root, f.Layout.Root) // depmod names external files by their paths outside the root
		var conf strings.Builder
		for range draw.Intn(4) {
			dir := one("updates", "updates/dkms", "extra", "kernel/a", "weak-updates", f.Path("srv"))
			switch draw.Intn(3) {
			case 0:
				conf.WriteString("search " + one("built-in", "updates", "extra") + " " + one(dir, "external") + " " + one("built-in", "updates\\\n", "") + "\n")
			case 1:
				conf.WriteString("override " + one("be-ta", "be-ta", "be_ta") + " " + one("*", "^6", "5") + " " + dir + "\n")
			case 2:
				conf.WriteString("external " + one("*", "test$", "5") + " " + one(f.Path("srv"), f.Path("opt")) + "\n")
			}
		}
		f.Write("etc/depmod.d/a.conf", conf.String())
		for range draw.Intn(4) {
			file := one("updates/be-ta.ko", "updates/z/be_ta.ko", "extra/be-ta.ko", "kernel/a/be-ta.ko", "weak-updates/be-ta.ko", "updates/dkms/be_ta.ko")
			f.Write(modulesDir+file, dkmstest.BuiltOf(m))
		}
		for _, dir := range []string{"srv", "opt"} {
			if draw.Intn(3) == 0 {
				f.Write(dir+"/be-ta.ko", dkmstest.BuiltOf(m))
			}
		}
		out, err := exec.Command(depmod, "-b", f.Layout.Root, "-C", f.Path("etc/depmod.d"), string(dkmstest.Kernel)).CombinedOutput()
		require.NoError(t, err, "%s", out)
		text, err := os.ReadFile(f.Path(modulesDir + "modules.dep"))
		require.NoError(t, err)
		s := f.Snapshot()
		sh, found := s.Shadow("updates/dkms/be-ta.ko")
		if strings.Contains(string(text), "updates/dkms/be-ta.ko:") {
			assert.False(t, found, "%s\n%s", conf.String(), text)
			continue
		}
		shadowed++
		assert.True(t, found && sh.Certain, "%s\n%s\n%+v", conf.String(), text, sh)
		assert.Contains(t, string(text), sh.By+":")
		assert.Equal(t, "be_ta", modprobe.ModuleName(sh.By))
		assert.Empty(t, plan.DepmodReason(s))
		assert.NotEqual(t, path.Clean(sh.By), "updates/dkms/be-ta.ko")
	}
	assert.Greater(t, shadowed, 10)
}
