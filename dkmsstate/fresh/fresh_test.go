package fresh

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// Each case is a kernel with a module built for it, and a change under the same release.
func TestFreshness(t *testing.T) {
	one := dkmsstate.Module{Name: "one", Version: "1.0"}
	for name, c := range map[string]struct {
		crc    uint32
		change func(dkmstest.Root)
		// forget drops what was recorded before the change.
		forget   bool
		want     dkmsstate.FreshnessVerdict
		reason   string
		mismatch string
	}{
		"untouched":                {1, func(dkmstest.Root) {}, false, dkmsstate.Fresh, "unchanged since", ""},
		"untouched, no record":     {1, func(dkmstest.Root) {}, true, dkmsstate.Fresh, "symbol versions match", ""},
		"unpacked again":           {1, func(f dkmstest.Root) { f.KernelOf(1, "y", "#1") }, false, dkmsstate.Fresh, "those it was built for", ""},
		"same ABI":                 {1, func(f dkmstest.Root) { f.KernelOf(1, "y", "#2") }, false, dkmsstate.Fresh, "symbol versions match", ""},
		"other ABI":                {1, func(f dkmstest.Root) { f.KernelOf(2, "y", "#2") }, false, dkmsstate.Stale, "symbol module_layout differs", ""},
		"other ABI, no record":     {1, func(f dkmstest.Root) { f.KernelOf(2, "y", "#2") }, true, dkmsstate.Stale, "symbol module_layout differs", ""},
		"other ABI, image alone":   {1, func(f dkmstest.Root) { f.ImageOf(2, "y", "#2") }, false, dkmsstate.Stale, "the kernel's own modules use", "one CRC in the kernel's modules"},
		"other ABI, headers alone": {1, func(f dkmstest.Root) { f.HeadersOf(2, "y", "#2") }, false, dkmsstate.Unknown, "vermagic matches", "one CRC in the kernel's modules"},
		"no headers":               {1, func(f dkmstest.Root) { f.RemoveAll("lib/modules/6.1.0-test/build") }, true, dkmsstate.Unknown, "vermagic matches", ""},
		"symbol gone": {1, func(f dkmstest.Root) {
			f.Write("lib/modules/6.1.0-test/build/Module.symvers", "0x00000009\tother\tvmlinux\tE\t\n")
		}, true, dkmsstate.Unknown, "no known module exports symbol module_layout", ""},
		"a symbol that nothing has": {1, func(f dkmstest.Root) {
			f.InstallOf(dkmsstate.Module{Name: "one", Version: "1.0"}, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Unversioned: []string{"nowhere"}})
		}, true, dkmsstate.Unknown, "no known module exports symbol nowhere", ""},
		"no versions":                    {0, func(dkmstest.Root) {}, false, dkmsstate.Fresh, "unchanged since", ""},
		"no versions, no record":         {0, func(dkmstest.Root) {}, true, dkmsstate.Fresh, "it was built after", ""},
		"no versions, same again":        {0, func(f dkmstest.Root) { f.KernelOf(0, "y", "#1") }, false, dkmsstate.Fresh, "those it was built for", ""},
		"no versions, same layout":       {0, func(f dkmstest.Root) { f.HeadersOf(0, "y", "#2") }, false, dkmsstate.Fresh, "layout unchanged", ""},
		"no versions, same, no record":   {0, func(f dkmstest.Root) { f.KernelOf(0, "y", "#1") }, true, dkmsstate.Unknown, "not known", ""},
		"no versions, other options":     {0, func(f dkmstest.Root) { f.KernelOf(0, "m", "#2") }, false, dkmsstate.Stale, "configuration differs", ""},
		"no versions, other source":      {0, func(f dkmstest.Root) { f.KernelOf(0, "y", "#2") }, false, dkmsstate.Stale, "the headers differ", ""},
		"no versions, image alone":       {0, func(f dkmstest.Root) { f.ImageOf(0, "m", "#2") }, false, dkmsstate.Stale, "configuration differs", "CONFIG_HZ is 250 in the image and 100 in the headers"},
		"no versions, image of a source": {0, func(f dkmstest.Root) { f.ImageOf(0, "y", "#2") }, false, dkmsstate.Unknown, "its headers are not installed", ""},
		"no versions, headers alone":     {0, func(f dkmstest.Root) { f.HeadersOf(0, "m", "#2") }, false, dkmsstate.Unknown, "not installed", "CONFIG_HZ is 100 in the image and 250 in the headers"},
		"no versions, no headers":        {0, func(f dkmstest.Root) { f.RemoveAll("lib/modules/6.1.0-test/build") }, true, dkmsstate.Unknown, "not known", ""},
		"not a module":                   {1, func(f dkmstest.Root) { f.Write(f.BuildFile(one), "text") }, false, dkmsstate.Unknown, "not a module", ""},
		"another release":                {0, func(f dkmstest.Root) { f.InstallOf(one, kmodtest.Module{Vermagic: "6.2.0 SMP "}) }, false, dkmsstate.Stale, "vermagic", ""},
		"another release, versions": {1, func(f dkmstest.Root) {
			f.InstallOf(one, kmodtest.Module{Vermagic: "6.2.0" + dkmstest.Magic[len(dkmstest.Kernel):], Uses: kmodtest.Uses(1)})
		}, false, dkmsstate.Fresh, "symbol versions match", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := dkmstest.New(t)
			f.Register(one, "")
			f.KernelOf(c.crc, "y", "#1")
			time.Sleep(5 * time.Millisecond) // longer than the granularity of file times
			f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(c.crc)})
			s, rec := f.Examine(Examine, dkmsstate.KernelRecord{})
			b, _ := s.Build(one, dkmstest.Arch)
			require.Equal(t, dkmsstate.Fresh, b.Fresh.Verdict, b.Fresh.Reason)
			if c.forget {
				rec = dkmsstate.KernelRecord{}
			}
			time.Sleep(5 * time.Millisecond)
			c.change(f)
			s, _ = f.Examine(Examine, rec)
			b, _ = s.Build(one, dkmstest.Arch)
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

// A module may use symbols of another module, with which they are compared.
func TestFreshnessOfAModuleThatNeedsAnother(t *testing.T) {
	f, one, two := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}, dkmsstate.Module{Name: "two", Version: "1.0"}
	f.KernelOf(1, "y", "#1")
	f.Register(one, "")
	f.Register(two, "BUILD_DEPENDS=one\n")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1), Exports: map[string]uint32{"one_symbol": 5}})
	for crc, want := range map[uint32]dkmsstate.FreshnessVerdict{5: dkmsstate.Fresh, 6: dkmsstate.Stale} {
		f.InstallOf(two, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: map[string]uint32{"module_layout": 1, "one_symbol": crc}})
		s, _ := f.Examine(Examine, dkmsstate.KernelRecord{})
		b, _ := s.Build(two, dkmstest.Arch)
		assert.Equal(t, want, b.Fresh.Verdict, b.Fresh.Reason)
	}
}

// A module that was just built is not rebuilt, whatever the clock or the symbols of another
// module show: another build would be no better.
func TestWhatWasJustBuiltIsFresh(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.KernelOf(0, "y", "#1")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic})
	past := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(f.Path(f.BuildFile(one)), past, past))
	s, _ := f.Examine(Examine, dkmsstate.KernelRecord{})
	b, _ := s.Build(one, dkmstest.Arch)
	assert.Equal(t, dkmsstate.Unknown, b.Fresh.Verdict, "a doubt keeps it")
	rec := Examine(context.Background(), &s, dkmsstate.KernelRecord{}, one)
	for range 2 {
		s, rec = f.Examine(Examine, rec)
		b, _ = s.Build(one, dkmstest.Arch)
		assert.Equal(t, dkmsstate.Fresh, b.Fresh.Verdict, b.Fresh.Reason)
	}
}

func TestRecordKnowsABuildByItsContents(t *testing.T) {
	f, one := dkmstest.New(t), dkmsstate.Module{Name: "one", Version: "1.0"}
	f.Register(one, "")
	f.KernelOf(1, "y", "#1")
	f.InstallOf(one, kmodtest.Module{Vermagic: dkmstest.Magic, Uses: kmodtest.Uses(1)})
	_, rec := f.Examine(Examine, dkmsstate.KernelRecord{})
	data, err := os.ReadFile(f.Path(f.BuildFile(one)))
	require.NoError(t, err)
	f.Write(f.BuildFile(one), string(data)) // the same, at another time
	s, again := f.Examine(Examine, rec)
	b, _ := s.Build(one, dkmstest.Arch)
	assert.Equal(t, dkmsstate.Fresh, b.Fresh.Verdict)
	assert.NotEqual(t, rec.Builds, again.Builds)
	s, last := f.Examine(Examine, again)
	b, _ = s.Build(one, dkmstest.Arch)
	assert.Equal(t, "unchanged since the last check", b.Fresh.Reason)
	assert.Equal(t, again, last)
}
