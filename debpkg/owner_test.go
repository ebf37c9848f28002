package debpkg

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOwners(t *testing.T) {
	for name, row := range map[string]struct {
		archive string
		want    []string
	}{
		"by the image": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/.\n/boot\n/boot/vmlinuz-6.1.0-1\n", []string{"a"},
		},
		"by the lists of its modules, in either place": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") + entry("b", "amd64", "install ok unpacked", "1") +
				"-- info/a.list --\n/lib/modules/6.1.0-1/modules.order\n" +
				"-- info/b.list --\n/usr/lib/modules/6.1.0-1/modules.builtin\n", []string{"a", "b"},
		},
		"by an image beside its modules": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/usr/lib/modules/6.1.0-1/vmlinuz\n", []string{"a"},
		},
		"not by a vendor's module": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/lib/modules/6.1.0-1\n/lib/modules/6.1.0-1/kernel\n/lib/modules/6.1.0-1/kernel/vendor.ko\n", nil,
		},
		"by an uncompressed image": {
			"-- status --\n" + entry("a", "ppc64el", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinux-6.1.0-1\n", []string{"a"},
		},
		"whatever the name, and leaving as well": {
			"-- status --\n" + entry("current-rockchip64", "amd64", "deinstall ok half-configured", "1") +
				"-- info/current-rockchip64.list --\n/boot/vmlinuz-6.1.0-1", []string{"current-rockchip64"},
		},
		"not by a longer release": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-10\n/lib/modules/6.1.0-1-rt/kernel\n/x/boot/vmlinuz-6.1.0-1\n", nil,
		},
		"not by headers, or the image of debugging": {
			"-- status --\n" + entry("h", "amd64", "install ok installed", "1") +
				"-- info/h.list --\n/usr/src/linux-headers-6.1.0-1\n/lib/modules/6.1.0-1/build\n/usr/lib/debug/boot/vmlinux-6.1.0-1\n", nil,
		},
		"not without its files": {
			"-- status --\n" + entry("a", "amd64", "deinstall ok config-files", "1") + entry("b", "amd64", "deinstall ok half-installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n-- info/b.list --\n/boot/vmlinuz-6.1.0-1\n", nil,
		},
		"or what may have them": {
			"-- status --\n" + entry("b", "amd64", "install reinstreq half-installed", "1") +
				"-- info/b.list --\n/boot/vmlinuz-6.1.0-1\n", []string{"b"},
		},
		"as the journal says": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- updates/0000 --\n" + entry("a", "amd64", "deinstall ok config-files", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n", nil,
		},
		"a list of a multi-arch package": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a:amd64.list --\n/boot/vmlinuz-6.1.0-1\n", []string{"a"},
		},
		"of another architecture": {
			"-- status --\n" + entry("a", "arm64", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n", []string{"a"},
		},
		"not when its file is diverted away": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n" +
				"-- diversions --\n/boot/vmlinuz-6.1.0-1\n/boot/vmlinuz-6.1.0-1.old\nb\n", nil,
		},
		"when it diverts others' file": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") + entry("b", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n-- info/b.list --\n/boot/vmlinuz-6.1.0-1\n" +
				"-- diversions --\n/boot/vmlinuz-6.1.0-1\n/boot/vmlinuz-6.1.0-1.old\nb\n", []string{"b"},
		},
		"when its file is diverted to here": {
			"-- status --\n" + entry("a", "amd64", "install ok installed", "1") +
				"-- info/a.list --\n/boot/vmlinuz-mine\n" +
				"-- diversions --\n/boot/vmlinuz-mine\n/boot/vmlinuz-6.1.0-1\n:\n", []string{"a"},
		},
		"a bad stanza owns nothing": {
			"-- status --\nPackage: a\nStatus: here\n\n" +
				"-- info/a.list --\n/boot/vmlinuz-6.1.0-1\n", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			owners, err := open(t, row.archive).Owners("6.1.0-1")
			require.NoError(t, err)
			var names []string
			for _, p := range owners {
				names = append(names, p.Name)
			}
			assert.Equal(t, row.want, names)
		})
	}
}

func TestStarters(t *testing.T) {
	db := open(t, "-- status --\n"+
		entry("image", "amd64", "install ok installed", "1")+
		entry("binary", "amd64", "install ok installed", "1")+
		entry("modules", "amd64", "install ok installed", "1")+
		entry("raspberry", "amd64", "install ok installed", "1")+
		entry("firmware", "amd64", "install ok installed", "1")+
		entry("whole", "amd64", "install reinstreq half-installed", "1")+
		entry("removed", "amd64", "deinstall ok half-installed", "1")+
		"-- info/removed.list --\n/boot/vmlinuz-6.1.0-1\n"+
		"-- info/whole.list --\n/lib/modules/6.1.0-1/modules.order\n/lib/modules/6.1.0-1/vmlinuz\n"+
		"-- info/image.list --\n/boot/vmlinuz-6.1.0-1\n"+
		"-- info/binary.list --\n/usr/lib/modules/6.1.0-1/vmlinuz\n"+
		"-- info/modules.list --\n/boot/System.map-6.1.0-1\n/boot/config-6.1.0-1\n/lib/modules/6.1.0-1/modules.order\n"+
		"-- info/raspberry.list --\n/boot/kernel8.img\n/lib/modules/6.1.0-1/modules.order\n"+
		"-- info/firmware.list --\n/boot/kernel.img\n")
	packages, err := db.Starters("6.1.0-1")
	require.NoError(t, err)
	require.Len(t, packages, 3)
	assert.Equal(t, "image", packages[0].Name)
	assert.Equal(t, "raspberry", packages[1].Name)
	assert.Equal(t, "whole", packages[2].Name)
	images, err := db.Images("6.1.0-1")
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"/boot/kernel8.img", "/lib/modules/6.1.0-1/vmlinuz"}, images)
}

func TestFingerprint(t *testing.T) {
	base := "-- status --\n" + entry("a", "amd64", "install ok installed", "1") + entry("linux-image-6.1", "amd64", "install ok half-configured", "1")
	before := open(t, base).Fingerprint()
	for name, row := range map[string]struct {
		add  string
		same bool
	}{
		"nothing":                      {"", true},
		"a package that is unpacked":   {entry("bc", "amd64", "install ok unpacked", "1"), true},
		"a package whose triggers run": {entry("a", "amd64", "install ok half-configured", "1"), true},
		"a kernel that is configured":  {entry("linux-image-6.1", "amd64", "install ok installed", "1"), true},
		"the headers of Proxmox":       {entry("proxmox-headers-6.8.12-1-pve", "amd64", "install ok installed", "1"), true},
		"a kernel of Proxmox":          {entry("proxmox-kernel-6.8.12-1-pve-signed", "amd64", "install ok installed", "1"), true},
		"the headers of Raspberry Pi":  {entry("raspberrypi-kernel-headers", "amd64", "install ok installed", "1"), true},
		"a tool for kernels":           {entry("proxmox-kernel-helper", "amd64", "install ok installed", "1"), false},
		"linux-base":                   {entry("linux-base", "amd64", "install ok installed", "2"), false},
		"a tool that is configured":    {entry("bc", "amd64", "install ok installed", "1"), false},
		"a library that is upgraded":   {entry("a", "amd64", "install ok installed", "2"), false},
		"a package that is removed":    {entry("a", "amd64", "deinstall ok config-files", "1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			after := open(t, base+"-- updates/0000 --\n"+row.add).Fingerprint()
			assert.Equal(t, row.same, before == after)
		})
	}
}

func TestWithFilesOf(t *testing.T) {
	db := open(t, "-- status --\n"+
		entry("headers", "amd64", "install ok installed", "1")+
		entry("half", "amd64", "install reinstreq half-installed", "1")+
		entry("longer", "amd64", "install ok installed", "1")+
		entry("parent", "amd64", "install ok installed", "1")+
		entry("image", "amd64", "install ok unpacked", "1")+
		entry("image-dbg", "amd64", "install ok installed", "1")+
		"-- info/image-dbg.list --\n/usr/lib/debug/lib/modules/6.1.0-1/kernel\n/usr/lib/debug/lib/modules/6.1.0-1/vmlinux\n"+
		"-- info/image.list --\n/.\n/boot/vmlinuz-6.1.0-1\n"+
		"-- info/headers.list --\n/.\n/lib/modules/6.1.0-1\n/lib/modules/6.1.0-1/build\n"+
		"-- info/half.list --\n/.\n/usr/lib/modules/6.1.0-1/x.ko\n"+
		"-- info/longer.list --\n/.\n/lib/modules/6.1.0-10/kernel\n"+
		"-- info/parent.list --\n/.\n/lib/modules\n/lib/modules/6.1.0-1\n")
	packages, err := db.WithFilesOf("6.1.0-1", Status.Any)
	require.NoError(t, err)
	require.Len(t, packages, 3)
	assert.Equal(t, "half", packages[0].Name)
	assert.Equal(t, "headers", packages[1].Name)
	assert.Equal(t, "image", packages[2].Name)
	packages, err = db.WithFilesOf("6.1.0-1", Status.Unconfigured)
	require.NoError(t, err)
	require.Len(t, packages, 2, "what was unpacked in part is not configured either")
	assert.Equal(t, "half", packages[0].Name)
	assert.Equal(t, "image", packages[1].Name)
}

func TestIncoming(t *testing.T) {
	const kver = "6.1.0-1"
	control := func(name string) string {
		return "-- status --\n-- tmp.ci/control --\nPackage: " + name + "\nVersion: 2\nArchitecture: amd64\nDescription: x\n y\n"
	}
	for name, row := range map[string]struct {
		archive string
		want    Contains
	}{
		"its list names the image":    {control("odd") + "-- tmp.ci/md5sums --\n00  boot/vmlinuz-6.1.0-1\n", ContainsYes},
		"its list names modules":      {control("odd") + "-- tmp.ci/md5sums --\n00  usr/lib/modules/6.1.0-1/kernel/a.ko\n", ContainsYes},
		"its list names another":      {control("odd") + "-- tmp.ci/md5sums --\n00  boot/vmlinuz-6.1.0-10\n", ContainsNo},
		"its name does, its list not": {control("linux-image-"+kver) + "-- tmp.ci/md5sums --\n00  usr/share/doc/x\n", ContainsYes},
		"its list is empty":           {control("linux-image") + "-- tmp.ci/md5sums --\n", ContainsNo},
		"its name":                    {control("linux-image-" + kver), ContainsYes},
		"its name, not yet signed":    {control("linux-image-" + kver + "-unsigned"), ContainsYes},
		"its name is a longer one's":  {control("linux-image-6.1.0-10"), ContainsNo},
		"its name names none":         {control("linux-image-current-rockchip64"), ContainsUnknown},
		"it is no kernel":             {control("bash"), ContainsNo},
	} {
		t.Run(name, func(t *testing.T) {
			in, ok, err := open(t, row.archive).Incoming()
			require.NoError(t, err)
			require.True(t, ok)
			assert.Equal(t, "2", in.Version)
			assert.Equal(t, row.want.String(), in.Contains(kver).String())
		})
	}
	_, ok, err := open(t, "-- status --\n").Incoming()
	require.NoError(t, err)
	assert.False(t, ok, "nothing is being unpacked")
}
