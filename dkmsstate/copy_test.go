package dkmsstate

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// What an owner does to an installed module leaves it as it is; what is of no use to any
// kernel is damaged.
func TestCompare(t *testing.T) {
	ko := Ko{Vermagic: "6.1.0-test SMP mod_unload", Uses: usesOf(1), name: "one"}
	built := fabricateKo(ko, "one")
	signed := sign(built, "key of dkms")
	with := func(change func(*Ko)) []byte {
		other := ko
		change(&other)
		return fabricateKo(other, "one")
	}
	big := bytes.Repeat([]byte{0}, len(built))
	for name, row := range map[string]struct {
		built, installed []byte
		want             Copy
		reason           string
		otherABI         bool
	}{
		"the same":                {built, built, CopySame, "", false},
		"signed":                  {built, sign(built, "key of the owner"), CopyAltered, "another signature", false},
		"signed by another":       {signed, sign(built, "key of the owner"), CopyAltered, "another signature", false},
		"signed twice":            {signed, sign(signed, "key of the owner"), CopyAltered, "another signature", false},
		"its signature removed":   {signed, built, CopyAltered, "another signature", false},
		"compressed":              {built, gzipped(t, built), CopyAltered, "compressed in another way", false},
		"decompressed":            {gzipped(t, built), built, CopyAltered, "compressed in another way", false},
		"signed, then compressed": {built, gzipped(t, sign(built, "x")), CopyAltered, "another signature", false},
		"patched":                 {built, fabricateKo(ko, "by its owner"), CopyAltered, "other contents", false},
		"for another ABI":         {built, with(func(k *Ko) { k.Uses = usesOf(2) }), CopyAltered, "another ABI", true},
		"other options":           {built, with(func(k *Ko) { k.Vermagic = "6.1.0-test SMP preempt mod_unload" }), CopyAltered, "", false},
		"empty":                   {built, nil, CopyDamaged, "is empty", false},
		"nothing but zeros":       {built, big, CopyDamaged, "not a module", false},
		"text":                    {built, []byte("spoilt\n"), CopyDamaged, "not a module", false},
		"cut short":               {built, built[:len(built)-20], CopyDamaged, "", false},
		"cut in its signature":    {signed, signed[:len(signed)-len(signatureMark)-3], CopyDamaged, "cut short", false},
		"cut when compressed":     {built, gzipped(t, built)[:60], CopyDamaged, "damaged", false},
		"flipped when compressed": {built, flip(gzipped(t, built)), CopyDamaged, "damaged", false},
		"another module":          {built, with(func(k *Ko) { k.name = "two" }), CopyDamaged, "another module, two", false},
		"for another kernel":      {built, with(func(k *Ko) { k.Vermagic = "6.2.0 SMP mod_unload" }), CopyDamaged, "another kernel, 6.2.0", false},
		"no built file to ask":    {[]byte("text"), built, CopyAltered, "cannot be compared", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "built.ko"), filepath.Join(dir, "installed.ko")
			require.NoError(t, os.WriteFile(from, row.built, 0o644))
			require.NoError(t, os.WriteFile(to, row.installed, 0o644))
			got := Layout{}.compare(from, to)
			assert.Equal(t, row.want, got.Copy, got.Reason)
			assert.Contains(t, got.Reason, row.reason)
			assert.Equal(t, row.otherABI, got.OtherABI)
		})
	}
	assert.Equal(t, CopyMissing, Layout{}.compare("/none", "/none").Copy)
}

// Modules compare the same whether they are small or large, plain or compressed.
func TestCompareStreams(t *testing.T) {
	ko := Ko{Vermagic: "6.1.0-test SMP mod_unload", Uses: usesOf(1), Exports: map[string]uint32{"a": 1}, name: "one"}
	built := fabricateKo(ko, "one")
	stripped := ko
	stripped.Exports = nil
	signed := sign(built, "key of dkms")
	modules := map[string][]byte{
		"built": built, "signed": signed, "signed again": sign(signed, "key"), "stripped": fabricateKo(stripped, "one"), "patched": fabricateKo(ko, "two"),
		"cut": signed[:len(signed)-5], "cut at its signature": signed[:len(built)], "longer": append(slices.Clone(built), "more"...),
		"a section cut": changedSections(built, func(s []elf.Section64) { s[6].Off, s[6].Size = uint64(len(built)), 1 }), "text": []byte("text"),
	}
	reasons := map[string]bool{}
	for from, one := range modules {
		for to, other := range modules {
			if from == to {
				continue
			}
			want := Layout{}.compareContents(fileOf(t, one), fileOf(t, other))
			reasons[want.Reason] = true
			got, err := little().compareContents(fileOf(t, gzipped(t, one)), fileOf(t, zstandard(20, other, 0, nil)))
			if err != nil {
				got = comparison{Copy: CopyAltered, Reason: err.Error()}
			}
			assert.Equal(t, want, got, "%s, %s", from, to)
		}
	}
	for _, reason := range []string{"is cut short", "has another signature than what was built", "was stripped or signed after it was built", "has other contents than what was built"} {
		assert.Contains(t, reasons, reason)
	}
}

func flip(data []byte) []byte {
	data[len(data)-5] ^= 1 // in the checksum
	return data
}

func TestOwnersFileStays(t *testing.T) {
	one := Module{"one", "1.0"}
	for name, change := range map[string]func(f fabricated, installed []byte){
		"signed": func(f fabricated, ko []byte) { f.write(f.installedFile("one.ko"), string(sign(ko, "owner"))) },
		"compressed": func(f fabricated, ko []byte) {
			f.remove(f.installedFile("one.ko"))
			f.write(f.installedFile("one.ko.gz"), string(gzipped(f.t, sign(ko, "owner"))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fabricate(t)
			f.register(one, "")
			f.install(one)
			change(f, []byte(builtOf(one)))
			f.depmod()
			before := f.listing()
			for _, goal := range []Goal{{}, KeepOnly()} {
				s, rec := f.examine(KernelRecord{})
				assert.Empty(t, PlanAutoinstall(s, goal).Tasks)
				assert.Empty(t, PlanAutoinstall(s, goal).Depmod)
				assert.True(t, s.Whole(one))
				assert.NotEmpty(t, s.Builds[0].Unusual())
				again, err := ReadSnapshot(f.layout, testKernel, testArch, rec)
				require.NoError(t, err)
				assert.Equal(t, s.Builds[0].Files, again.Builds[0].Files, "the record tells the same")
			}
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Restore(one, testArch, true))
			assert.Equal(t, before, f.listing())
			require.NoError(t, Tree{Layout: f.layout, Kernel: testKernel}.Unbuild(one))
			assert.NoFileExists(t, f.path(f.installedFile("one.ko")))
			assert.NoFileExists(t, f.path(f.installedFile("one.ko.gz")), "it goes with the kernel")
		})
	}
}
