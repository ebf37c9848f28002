package kmod

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod/kmodtest"
)

// A module that its owner changed is not damaged. A file that no kernel can use is.
func TestCompare(t *testing.T) {
	ko := kmodtest.Module{Vermagic: "6.1.0-test SMP mod_unload", Uses: kmodtest.Uses(1), Name: "one"}
	built := kmodtest.File(ko, "one")
	signed := kmodtest.Sign(built, "key of dkms")
	with := func(change func(*kmodtest.Module)) []byte {
		other := ko
		change(&other)
		return kmodtest.File(other, "one")
	}
	big := bytes.Repeat([]byte{0}, len(built))
	for name, row := range map[string]struct {
		built, installed []byte
		want             Copy
		reason           string
		otherABI         bool
	}{
		"the same":                {built, built, CopySame, "", false},
		"signed":                  {built, kmodtest.Sign(built, "key of the owner"), CopyAltered, "a different signature", false},
		"signed by another":       {signed, kmodtest.Sign(built, "key of the owner"), CopyAltered, "a different signature", false},
		"signed twice":            {signed, kmodtest.Sign(signed, "key of the owner"), CopyAltered, "a different signature", false},
		"its signature removed":   {signed, built, CopyAltered, "a different signature", false},
		"compressed":              {built, kmodtest.Gzip(built), CopyAltered, "compressed differently", false},
		"decompressed":            {kmodtest.Gzip(built), built, CopyAltered, "compressed differently", false},
		"signed, then compressed": {built, kmodtest.Gzip(kmodtest.Sign(built, "x")), CopyAltered, "a different signature", false},
		"patched":                 {built, kmodtest.File(ko, "by its owner"), CopyAltered, "different contents", false},
		"for another ABI":         {built, with(func(k *kmodtest.Module) { k.Uses = kmodtest.Uses(2) }), CopyAltered, "another ABI", true},
		"other options":           {built, with(func(k *kmodtest.Module) { k.Vermagic = "6.1.0-test SMP preempt mod_unload" }), CopyAltered, "", false},
		"empty":                   {built, nil, CopyDamaged, "is empty", false},
		"nothing but zeros":       {built, big, CopyDamaged, "not a module", false},
		"text":                    {built, []byte("spoilt\n"), CopyDamaged, "not a module", false},
		"cut short":               {built, built[:len(built)-20], CopyDamaged, "", false},
		"cut in its signature":    {signed, signed[:len(signed)-len(SignatureMark)-3], CopyDamaged, "truncated", false},
		"cut when compressed":     {built, kmodtest.Gzip(built)[:60], CopyDamaged, "damaged", false},
		"flipped when compressed": {built, flip(kmodtest.Gzip(built)), CopyDamaged, "damaged", false},
		"another module":          {built, with(func(k *kmodtest.Module) { k.Name = "two" }), CopyDamaged, "another module, two", false},
		"for another kernel":      {built, with(func(k *kmodtest.Module) { k.Vermagic = "6.2.0 SMP mod_unload" }), CopyDamaged, "another kernel, 6.2.0", false},
		"no built file to ask":    {[]byte("text"), built, CopyAltered, "cannot be compared", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "built.ko"), filepath.Join(dir, "installed.ko")
			require.NoError(t, os.WriteFile(from, row.built, 0o644))
			require.NoError(t, os.WriteFile(to, row.installed, 0o644))
			got := NewReader().Compare(from, to)
			assert.Equal(t, row.want, got.Copy, got.Reason)
			assert.Contains(t, got.Reason, row.reason)
			assert.Equal(t, row.otherABI, got.OtherABI)
		})
	}
	assert.Equal(t, CopyMissing, NewReader().Compare("/none", "/none").Copy)
}

// The result does not depend on the size and the compression of the files.
func TestCompareStreams(t *testing.T) {
	ko := kmodtest.Module{Vermagic: "6.1.0-test SMP mod_unload", Uses: kmodtest.Uses(1), Exports: map[string]uint32{"a": 1}, Name: "one"}
	built := kmodtest.File(ko, "one")
	stripped := ko
	stripped.Exports = nil
	signed := kmodtest.Sign(built, "key of dkms")
	modules := map[string][]byte{
		"built": built, "signed": signed, "signed again": kmodtest.Sign(signed, "key"), "stripped": kmodtest.File(stripped, "one"), "patched": kmodtest.File(ko, "two"),
		"cut": signed[:len(signed)-5], "cut at its signature": signed[:len(built)], "longer": append(slices.Clone(built), "more"...),
		"a section cut": kmodtest.ChangeSections(built, func(s []elf.Section64) { s[6].Off, s[6].Size = uint64(len(built)), 1 }), "text": []byte("text"),
	}
	reasons := map[string]bool{}
	for from, one := range modules {
		for to, other := range modules {
			if from == to {
				continue
			}
			want := NewReader().compareContents(fileOf(t, one), fileOf(t, other))
			reasons[want.Reason] = true
			got, err := little().compareContents(fileOf(t, kmodtest.Gzip(one)), fileOf(t, zstandard(20, other, 0, nil)))
			if err != nil {
				got = Comparison{Copy: CopyAltered, Reason: err.Error()}
			}
			assert.Equal(t, want, got, "%s, %s", from, to)
		}
	}
	for _, reason := range []string{"is truncated", "has a different signature than the built file", "was stripped or signed after it was built", "has different contents than the built file"} {
		assert.Contains(t, reasons, reason)
	}
}

func flip(data []byte) []byte {
	data[len(data)-5] ^= 1 // in the checksum
	return data
}
