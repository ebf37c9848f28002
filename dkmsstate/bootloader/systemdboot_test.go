package bootloader

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/efivars"
)

// The versions of the specification's own examples, the oldest first.
func TestCompareVersions(t *testing.T) {
	for _, list := range [][]string{
		{"122.1", "123~rc1-1", "123", "123-a", "123-a.1", "123-1", "123-1.1", "123^post1", "123.a-1", "123.1-1", "123a-1", "124-1"},
		{"5.15.0-1", "6.1.0-9-amd64", "6.1.0-28-amd64", "6.8.0-45-generic", "6.8.0-060800-generic", "6.12.9~rc1-amd64", "6.12.9-amd64", "6.12.63+deb13-amd64", "6.12.63+deb13-cloud-amd64"},
		{"", "~", "a", "1"},
	} {
		for i, a := range list {
			for j, b := range list {
				got := compareVersions(a, b)
				if a == "" && b == "~" || a == "~" && b == "" { // "~" is older than an end
					got = -got
				}
				assert.Equal(t, sign(i-j), sign(got), "%q %q", a, b)
			}
		}
	}
	assert.Zero(t, compareVersions("6.010", "6.10"))
	assert.Zero(t, compareVersions("1_2", "1 2"))
}

func sign(n int) int { return min(1, max(-1, n)) }

// entry returns a file of loader/entries as kernel-install(8) writes it.
func specifiedEntry(k string) string {
	return "# Boot Loader Specification type#1 entry\ntitle      Debian GNU/Linux 13 (trixie)\nversion    " + k +
		"\nmachine-id 0123\nsort-key   debian\noptions    root=UUID=1b2d ro\noptions    quiet\nlinux      /0123/" + k + "/linux\ninitrd     /0123/" + k + "/initrd.img\n"
}

// specified returns the files of an EFI system partition with systemd-boot and kernels.
func specified(esp string, releases ...string) files {
	f := files{esp + "/EFI/systemd/systemd-bootx64.efi": "MZ"}
	for _, k := range releases {
		f[esp+"/loader/entries/0123-"+k+".conf"] = specifiedEntry(k)
		f[esp+"/0123/"+k+"/linux"] = "image"
	}
	return f
}

// unifiedImage returns an EFI program with sections.
func unifiedImage(contents ...string) string {
	var out bytes.Buffer
	out.WriteString("MZ" + string(make([]byte, 0x3a)) + "\x40\x00\x00\x00PE\x00\x00")
	write := func(v any) { _ = binary.Write(&out, binary.LittleEndian, v) }
	write(pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: uint16(len(contents) / 2), SizeOfOptionalHeader: 0})
	const start = 0x1000
	at := uint32(start)
	for i := 0; i < len(contents); i += 2 {
		var name [8]uint8
		copy(name[:], contents[i])
		size := uint32(len(contents[i+1]))
		write(pe.SectionHeader32{Name: name, VirtualSize: size, SizeOfRawData: size, PointerToRawData: at})
		at += size
	}
	out.Write(make([]byte, start-out.Len()))
	for i := 1; i < len(contents); i += 2 {
		out.WriteString(contents[i])
	}
	return out.String()
}

const osRelease = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nVERSION=\"13 (trixie)\"\nID=debian\n"

func TestSystemdBoot(t *testing.T) {
	const k2, k1 = "6.12.63+deb13-amd64", "6.12.9-amd64"
	const first, second = "0123-" + k2 + ".conf", "0123-" + k1 + ".conf"
	both := specified("/efi", k1, k2)
	conf := func(text string) files { return files{"/efi/loader/loader.conf": "timeout 3\n" + text} }
	efi := func(name, value string) files {
		return files{efivars.Dir + "/" + name + "-" + efivars.Loader: variable(utf16z(value))}
	}
	firmware := firmwareFiles("systemd-boot 257.13-1~deb13u1", `\EFI\systemd\systemd-bootx64.efi`)
	renamed := func(from, to string) files {
		f := maps.Clone(both)
		f["/efi/loader/entries/"+to] = f["/efi/loader/entries/"+from]
		delete(f, "/efi/loader/entries/"+from)
		return f
	}
	for name, c := range map[string]struct {
		files  []files
		booted bool
		want   dkmsstate.Release
		entry  string
		reason string
	}{
		"the newest":                   {[]files{both}, false, k2, first, "the first entry of the menu is started"},
		"the running system":           {[]files{both, firmware}, true, k2, first, ""},
		"a default":                    {[]files{both, conf("default " + second)}, false, k1, second, `/efi/loader/loader.conf selects "` + second + `"`},
		"a pattern":                    {[]files{both, conf("default 0123-6.12.9*")}, false, k1, second, ""},
		"upper case":                   {[]files{both, conf("default 0123-6.12.9-AMD64.conf")}, false, k1, second, ""},
		"one that matches nothing":     {[]files{both, conf("default arch*")}, false, k2, first, "the first entry"},
		"a comment":                    {[]files{both, conf("#default 0123-6.12.9*")}, false, k2, first, ""},
		"the last one counts":          {[]files{both, conf("default arch*\ndefault 0123-6.12.9*")}, false, k1, second, ""},
		"saved":                        {[]files{both, firmware, conf("default @saved"), efi("LoaderEntryLastBooted", second)}, true, k1, second, ""},
		"saved, none":                  {[]files{both, firmware, conf("default @saved")}, true, k2, first, ""},
		"one-shot":                     {[]files{both, firmware, conf("default " + first), efi("LoaderEntryOneShot", second)}, true, k1, second, "LoaderEntryOneShot selects"},
		"set by bootctl":               {[]files{both, firmware, conf("default " + first), efi("LoaderEntryDefault", second)}, true, k1, second, "LoaderEntryDefault selects"},
		"saved, by bootctl":            {[]files{both, firmware, efi("LoaderEntryDefault", "@saved"), efi("LoaderEntryLastBooted", second)}, true, k1, second, ""},
		"Windows":                      {[]files{both, conf("default auto-windows")}, false, "", "", "it selects auto-windows, which is not a kernel"},
		"an odd pattern":               {[]files{both, conf("default [!a]*")}, false, "", "", "is not supported"},
		"no image":                     {[]files{both, {"/efi/loader/entries/zz.conf": "linux /none\n"}}, false, k2, first, ""},
		"no kernel":                    {[]files{both, {"/efi/loader/entries/zz.conf": "title none\n"}}, false, k2, first, ""},
		"of another architecture":      {[]files{both, {"/efi/loader/entries/zz.conf": "sort-key a\narchitecture mips\nlinux /0123/" + k1 + "/linux\n"}}, false, k2, first, ""},
		"another sort key":             {[]files{both, {"/efi/loader/entries/a.conf": "sort-key arch\nlinux /0123/" + k1 + "/linux\n"}}, false, k1, "a.conf", ""},
		"no sort key":                  {[]files{both, {"/efi/loader/entries/zz.conf": "linux /0123/" + k1 + "/linux\n"}}, false, k2, first, ""},
		"no tries left":                {[]files{renamed(first, "0123-"+k2+"+0-3.conf")}, false, k1, second, ""},
		"tries left":                   {[]files{renamed(first, "0123-"+k2+"+2-1.conf")}, false, k2, "0123-" + k2 + "+2-1.conf", ""},
		"a default with tries":         {[]files{renamed(second, "0123-"+k1+"+2-1.conf"), conf("default " + second)}, false, "", "", "with boot counters or without them"},
		"a pattern with tries":         {[]files{renamed(second, "0123-"+k1+"+2-1.conf"), conf("default 0123-6.12.9*")}, false, k1, "0123-" + k1 + "+2-1.conf", ""},
		"a program":                    {[]files{both, {"/efi/loader/entries/a.conf": "sort-key a\nefi /EFI/systemd/systemd-bootx64.efi\n"}}, false, "", "", "not an EFI program"},
		"on /boot":                     {[]files{specified("/boot", k1, k2)}, false, k2, first, ""},
		"on /boot/efi":                 {[]files{specified("/boot/efi", k1, k2)}, false, k2, first, ""},
		"two partitions":               {[]files{both, specified("/boot/efi", k1)}, false, "", "", "systemd-boot is on 2 EFI system partitions"},
		"entries that it cannot see":   {[]files{both, {"/boot/loader/entries/x.conf": ""}}, false, "", "", "/boot has entries, and is not a partition"},
		"no entries":                   {[]files{specified("/efi")}, false, "", "", "/efi has no entry that starts a kernel"},
		"a unified image":              {[]files{both, {"/efi/EFI/Linux/debian-6.12.70.efi": unifiedImage(".osrel", osRelease, ".uname", "6.12.70-amd64", ".cmdline", "root=x uki\x00")}}, false, "6.12.70-amd64", "debian-6.12.70.efi", ""},
		"one without .uname":           {[]files{both, {"/efi/EFI/Linux/debian.efi": unifiedImage(".osrel", osRelease, ".linux", bzImage("6.12.70-amd64"))}}, false, "6.12.70-amd64", "debian.efi", ""},
		"one without a kernel":         {[]files{both, {"/efi/EFI/Linux/debian.efi": unifiedImage(".osrel", osRelease)}}, false, "", "", "not a unified kernel image"},
		"one without a release":        {[]files{both, {"/efi/EFI/Linux/debian.efi": unifiedImage(".linux", "x")}}, false, "", "", "it has no kernel release"},
		"one with profiles":            {[]files{both, {"/efi/EFI/Linux/debian.efi": unifiedImage(".uname", "6.1", ".profile", "x")}}, false, "", "", "profiles is not supported"},
		"one that is none":             {[]files{both, {"/efi/EFI/Linux/debian.efi": "x"}}, false, "", "", "not an EFI program"},
		"one with two names":           {[]files{both, {"/efi/EFI/Linux/debian.efi": unifiedImage(".uname", "6.1", ".uname", "6.2")}}, false, "", "", "more than one section .uname"},
		"a newer setting":              {[]files{both, conf("preferred x")}, false, "", "", `"preferred", which is not supported`},
		"a newer variable":             {[]files{both, firmware, efi("LoaderEntryPreferred", first)}, true, "", "", "LoaderEntryPreferred is not supported"},
		"variables that are not there": {[]files{both, {"/sys/firmware/efi/x": ""}}, true, "", "", "the variables of the firmware cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(t, c.files...)
			m.Booted = c.booted
			got := m.Next()
			if c.want == "" {
				assert.Equal(t, Unknown, got.Certainty, got)
				assert.Contains(t, got.Reason, c.reason)
				return
			}
			assert.Equal(t, c.want, got.Kernel, got.Reason)
			assert.Equal(t, c.entry, got.Entry)
			assert.Contains(t, got.Reason, c.reason)
			assert.Equal(t, name == "one-shot", got.Once)
		})
	}
}

// The firmware reads no other filesystem than FAT, whatever device it is on.
func TestIsPartition(t *testing.T) {
	assert.False(t, isPartition("/", "/proc"), "not FAT")
	assert.False(t, isPartition("/", "/"), "the root")
	assert.False(t, isPartition("/", "/nonexistent"))
}

func TestSystemdBootCommandLine(t *testing.T) {
	const k = "6.12.9-amd64"
	got := machine(t, specified("/efi", k)).Next()
	assert.Equal(t, "root=UUID=1b2d ro quiet", got.Cmdline)
	assert.True(t, got.CmdlineComplete)
	image := files{"/efi/EFI/Linux/a.efi": unifiedImage(".uname", k, ".cmdline", "root=x uki\x00")}
	got = machine(t, specified("/efi"), image).Next()
	assert.Equal(t, "root=x uki", got.Cmdline)
	assert.True(t, got.CmdlineComplete)
	got = machine(t, specified("/efi"), image, files{"/efi/EFI/Linux/a.efi.extra.d/x.addon.efi": ""}).Next()
	assert.Equal(t, dkmsstate.Release(k), got.Kernel)
	assert.False(t, got.CmdlineComplete)
}

func FuzzEntries(f *testing.F) {
	f.Add(specifiedEntry("6.1"), "0123-6.1+3-1.conf", "0123-*")
	f.Add("linux \"/a\"\nsort-key\n", "a.conf", "[")
	f.Fuzz(func(t *testing.T, text, name, pattern string) {
		e := parseEntry(text)
		e.id = name
		e.left, e.done = counters(name, ".conf")
		entries := []blsEntry{e, {id: "b.conf", left: -1, done: -1, version: name, sortKey: "debian"}, {id: pattern, version: text}}
		sortEntries(entries)
		first := entries[0]
		slices.Reverse(entries)
		sortEntries(entries)
		if compareVersions(name, pattern) != 0 {
			require.Equal(t, first, entries[0])
		}
		_, _, _ = match(entries, pattern)
		require.Equal(t, sign(compareVersions(name, pattern)), -sign(compareVersions(pattern, name)))
	})
}

func FuzzUnified(f *testing.F) {
	f.Add([]byte(unifiedImage(".osrel", osRelease, ".uname", "6.12.70-amd64", ".cmdline", "root=x\x00")))
	f.Add([]byte(unifiedImage(".linux", bzImage("6.12.70-amd64"))))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = readUnified(bytes.NewReader(data))
		_, _ = releaseInImage(bytes.NewReader(data))
	})
}
