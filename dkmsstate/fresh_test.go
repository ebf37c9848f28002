package dkmsstate

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// kernelOf fabricates a kernel with one module of its own and its headers. A CRC of 0
// is that of a kernel without symbol versions.
func (f fabricated) kernelOf(crc uint32, option, number string) {
	f.imageOf(crc, option, number)
	f.headersOf(crc, option, number)
}

func (f fabricated) imageOf(crc uint32, option, number string) {
	k := string(testKernel)
	f.write("lib/modules/"+k+"/kernel/own.ko", string(kmodtest.File(kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(crc)}, "own")))
	f.write("boot/config-"+k, configOf(option))
	f.write("boot/System.map-"+k, strings.Repeat("map of "+option+" "+number, 1000))
	f.depmod()
}

func (f fabricated) headersOf(crc uint32, option, number string) {
	build := "lib/modules/" + string(testKernel) + "/build/"
	hex := "0x00000000"
	if crc == 1 {
		hex = "0x00000001"
	} else if crc == 2 {
		hex = "0x00000002"
	}
	f.write(build+"Module.symvers", hex+"\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n")
	f.write(build+"include/config/auto.conf", configOf(option))
	f.write(build+"include/generated/utsversion.h", number)
}

// configOf is the configuration of a kernel, by a letter for what its structures
// depend on.
func configOf(option string) string {
	return "CONFIG_MODULES=y\nCONFIG_HZ=" + map[string]string{"y": "100", "m": "250"}[option] + "\n"
}

func (f fabricated) installOf(m Module, ko kmodtest.Module) {
	f.install(m)
	f.write(f.buildFile(m), string(kmodtest.File(ko, m.String())))
	f.write(f.installedFile(m.Name+".ko"), string(kmodtest.File(ko, m.String())))
}

func (f fabricated) examine(rec KernelRecord) (Snapshot, KernelRecord) {
	s := f.snapshot()
	rec = s.Examine(context.Background(), rec)
	return s, rec
}

// Each case is a kernel at first, with a module built for it, and what then comes
// under the same release.
func TestFreshness(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, c := range map[string]struct {
		crc    uint32
		change func(fabricated)
		// forget drops what was recorded before the change.
		forget   bool
		want     FreshnessVerdict
		reason   string
		mismatch string
	}{
		"untouched":                {1, func(fabricated) {}, false, Fresh, "nothing has changed", ""},
		"untouched, no record":     {1, func(fabricated) {}, true, Fresh, "the symbols that it uses", ""},
		"unpacked again":           {1, func(f fabricated) { f.kernelOf(1, "y", "#1") }, false, Fresh, "those that it was built for", ""},
		"same ABI":                 {1, func(f fabricated) { f.kernelOf(1, "y", "#2") }, false, Fresh, "the symbols that it uses", ""},
		"other ABI":                {1, func(f fabricated) { f.kernelOf(2, "y", "#2") }, false, Stale, "symbol module_layout differs", ""},
		"other ABI, no record":     {1, func(f fabricated) { f.kernelOf(2, "y", "#2") }, true, Stale, "symbol module_layout differs", ""},
		"other ABI, image alone":   {1, func(f fabricated) { f.imageOf(2, "y", "#2") }, false, Stale, "the kernel's own modules use", "one CRC in the kernel's modules"},
		"other ABI, headers alone": {1, func(f fabricated) { f.headersOf(2, "y", "#2") }, false, Unknown, "the kernel's own modules agree", "one CRC in the kernel's modules"},
		"no headers":               {1, func(f fabricated) { f.removeAll("lib/modules/6.1.0-test/build") }, true, Unknown, "the kernel's own modules agree", ""},
		"symbol gone": {1, func(f fabricated) {
			f.write("lib/modules/6.1.0-test/build/Module.symvers", "0x00000009\tother\tvmlinux\tE\t\n")
		}, true, Unknown, "no module here exports the symbol module_layout", ""},
		"no versions":                    {0, func(fabricated) {}, false, Fresh, "nothing has changed", ""},
		"no versions, no record":         {0, func(fabricated) {}, true, Fresh, "it was built after", ""},
		"no versions, same again":        {0, func(f fabricated) { f.kernelOf(0, "y", "#1") }, false, Fresh, "those that it was built for", ""},
		"no versions, same layout":       {0, func(f fabricated) { f.headersOf(0, "y", "#2") }, false, Fresh, "has the layout", ""},
		"no versions, same, no record":   {0, func(f fabricated) { f.kernelOf(0, "y", "#1") }, true, Unknown, "nothing tells", ""},
		"no versions, other options":     {0, func(f fabricated) { f.kernelOf(0, "m", "#2") }, false, Stale, "configured in another way", ""},
		"no versions, other source":      {0, func(f fabricated) { f.kernelOf(0, "y", "#2") }, false, Stale, "the headers are others", ""},
		"no versions, image alone":       {0, func(f fabricated) { f.imageOf(0, "m", "#2") }, false, Stale, "configured in another way", "CONFIG_HZ is 250 in the image and 100 in the headers"},
		"no versions, image of a source": {0, func(f fabricated) { f.imageOf(0, "y", "#2") }, false, Unknown, "its headers have not come", ""},
		"no versions, headers alone":     {0, func(f fabricated) { f.headersOf(0, "m", "#2") }, false, Unknown, "not there to compare", "CONFIG_HZ is 100 in the image and 250 in the headers"},
		"no versions, no headers":        {0, func(f fabricated) { f.removeAll("lib/modules/6.1.0-test/build") }, true, Unknown, "nothing tells", ""},
		"not a module":                   {1, func(f fabricated) { f.write(f.buildFile(one), "text") }, false, Unknown, "not a module", ""},
		"another release":                {0, func(f fabricated) { f.installOf(one, kmodtest.Module{Vermagic: "6.2.0 SMP "}) }, false, Stale, "vermagic", ""},
		"another release, versions": {1, func(f fabricated) {
			f.installOf(one, kmodtest.Module{Vermagic: "6.2.0" + testMagic[len(testKernel):], Uses: kmodtest.Uses(1)})
		}, false, Fresh, "the symbols", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.kernelOf(c.crc, "y", "#1")
			time.Sleep(5 * time.Millisecond) // as long as a time of a file is exact
			f.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(c.crc)})
			s, rec := f.examine(KernelRecord{})
			b, _ := s.Build(one, testArch)
			require.Equal(t, Fresh, b.Fresh.Verdict, b.Fresh.Reason)
			if c.forget {
				rec = KernelRecord{}
			}
			time.Sleep(5 * time.Millisecond)
			c.change(f)
			s, _ = f.examine(rec)
			b, _ = s.Build(one, testArch)
			assert.Equal(t, c.want, b.Fresh.Verdict, b.Fresh.Reason)
			assert.Contains(t, b.Fresh.Reason, c.reason)
			if c.mismatch == "" {
				assert.Empty(t, s.Mismatch)
			} else {
				assert.Contains(t, s.Mismatch, c.mismatch)
			}
		})
	}
}

// A module takes symbols of another one too: those are asked for there.
func TestFreshnessOfAModuleThatNeedsAnother(t *testing.T) {
	f, one, two := fabricate(t), Module{"one", "1.0"}, Module{"two", "1.0"}
	f.kernelOf(1, "y", "#1")
	f.register(one, "")
	f.register(two, "BUILD_DEPENDS=one\n")
	f.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"one_symbol": 5}})
	for crc, want := range map[uint32]FreshnessVerdict{5: Fresh, 6: Stale} {
		f.installOf(two, kmodtest.Module{Vermagic: testMagic, Uses: map[string]uint32{"module_layout": 1, "one_symbol": crc}})
		s, _ := f.examine(KernelRecord{})
		b, _ := s.Build(two, testArch)
		assert.Equal(t, want, b.Fresh.Verdict, b.Fresh.Reason)
	}
}

// A stale build is made anew when the headers are there, and stays until then.
func TestPlanForAStaleBuild(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.kernelOf(1, "y", "#1")
	f.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1)})
	f.imageOf(2, "y", "#2")
	s, rec := f.examine(KernelRecord{})
	p := PlanAutoinstall(s, Goal{})
	assert.Empty(t, p.Tasks, "not with the headers of another build")
	assert.Equal(t, []Module{one}, p.NeedHeaders)
	assert.NotEmpty(t, p.Mismatch)
	require.Len(t, p.Broken, 1)
	assert.True(t, p.Broken[0].Left)
	assert.Contains(t, p.Broken[0].Text, "stale, ")

	f.headersOf(2, "y", "#2")
	s, _ = f.examine(rec)
	p = PlanAutoinstall(s, Goal{})
	require.Len(t, p.Tasks, 1)
	assert.Equal(t, []Step{{OpReplace, "stale, symbol module_layout differs"}}, p.Tasks[0].Steps)
	assert.Empty(t, p.NeedHeaders)
	assert.True(t, p.Tasks[0].Builds() && p.Tasks[0].Installs())
}

// One that was built and never installed is built anew and installed as any other.
func TestPlanForAStaleBuildThatIsNotInstalled(t *testing.T) {
	e, task := staleOne(t)
	e.remove("var/lib/dkms/one/" + linkName(testKernel, testArch))
	e.remove(e.installedFile("one.ko"))
	s, _ := e.examine(KernelRecord{})
	p := PlanAutoinstall(s, Goal{})
	require.Len(t, p.Tasks, 1)
	assert.Equal(t, []Step{{OpReplace, "stale, symbol module_layout differs"}, {OpInstall, "not installed"}}, p.Tasks[0].Steps)
	m := Machine{Layout: e.layout, Engine: rebuilder{scripted: e, ko: kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(2), Signed: true}, files: []string{"one.ko"}}}
	require.NoError(t, runTask(m, s, p.Tasks[0]).Err)
	assert.True(t, e.snapshot().InOrder(task.Module))
}

// What was just built is not built again, whatever the clock or another module's
// symbols say: no run could do better.
func TestWhatWasJustBuiltIsFresh(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.kernelOf(0, "y", "#1")
	f.installOf(one, kmodtest.Module{Vermagic: testMagic})
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(f.path(f.buildFile(one)), past, past))
	s, _ := f.examine(KernelRecord{})
	b, _ := s.Build(one, testArch)
	assert.Equal(t, Unknown, b.Fresh.Verdict, "a doubt keeps it")
	rec := s.Examine(context.Background(), KernelRecord{}, one)
	for range 2 {
		s, rec = f.examine(rec)
		b, _ = s.Build(one, testArch)
		assert.Equal(t, Fresh, b.Fresh.Verdict, b.Fresh.Reason)
	}
}

func TestRecordKnowsABuildByItsContents(t *testing.T) {
	f, one := fabricate(t), Module{"one", "1.0"}
	f.register(one, "")
	f.kernelOf(1, "y", "#1")
	f.installOf(one, kmodtest.Module{Vermagic: testMagic, Uses: kmodtest.Uses(1)})
	_, rec := f.examine(KernelRecord{})
	data, err := os.ReadFile(f.path(f.buildFile(one)))
	require.NoError(t, err)
	f.write(f.buildFile(one), string(data)) // the same, at another time
	s, again := f.examine(rec)
	b, _ := s.Build(one, testArch)
	assert.Equal(t, Fresh, b.Fresh.Verdict)
	assert.NotEqual(t, rec.Builds, again.Builds)
	s, last := f.examine(again)
	b, _ = s.Build(one, testArch)
	assert.Equal(t, "nothing has changed since it was found to fit", b.Fresh.Reason)
	assert.Equal(t, again, last)
}
