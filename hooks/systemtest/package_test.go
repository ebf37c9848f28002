//go:build integration

package systemtest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// testPackage installs, upgrades and removes the package in every order, with
// dkms coming and going under it. The stock hooks stand aside while it is there,
// and come back as dkms has them.
func testPackage(t *testing.T, l suite) {
	stock := hooksDir(t, l.stock)
	ours := hooksDir(t, l.ours)

	t.Run("over stock", func(t *testing.T) {
		for _, hook := range []string{"postinst", "header_postinst", "prerm", "postrm"} {
			assert.Contains(t, ours, "./"+hook+".d/dkms -> ../../../usr/libexec/dkms-hooks/"+hook)
			out := l.ours.Must(t, "run-parts --test /etc/kernel/"+hook+".d")
			assert.Contains(t, strings.Fields(out), "/etc/kernel/"+hook+".d/dkms")
			assert.NotContains(t, out, "stock")
		}
		for _, line := range stock {
			if strings.Contains(line, ".d/dkms ") && !strings.HasPrefix(line, "./install.d/") { // kernel-install's plugin
				assert.Contains(t, ours, strings.Replace(line, ".d/dkms ", ".d/dkms.stock ", 1), "the stock hook, byte for byte")
			}
		}
		out, _ := l.ours.Run(t, "ls /etc/kernel/preinst.d/dkms")
		assert.Contains(t, out, "No such file", "what unbuilds before a kernel is unpacked stands aside too")
		assert.Contains(t, l.ours.Must(t, "dkms-hooks --version"), "0.")
	})

	rows := []struct {
		name string
		// from begins with our package, or without.
		from lab.Root
		do   string
		// hooks is the listing of /etc/kernel that it must come to.
		hooks []string
		// fails: dpkg itself ends with an error.
		fails bool
	}{
		{name: "removed", from: l.ours, do: "dpkg -r dkms-hooks", hooks: stock},
		{name: "purged", from: l.ours, do: "dpkg -P dkms-hooks", hooks: stock},
		{name: "removed, then purged", from: l.ours, do: "dpkg -r dkms-hooks && dpkg -P dkms-hooks", hooks: stock},
		{name: "removed, installed again", from: l.ours, do: "dpkg -r dkms-hooks && dpkg -i /srv/dkms-hooks.deb", hooks: ours},
		{name: "reinstalled", from: l.ours, do: "dpkg -i /srv/dkms-hooks.deb", hooks: ours},
		{name: "upgraded", from: l.ours, do: repack("/srv/dkms-hooks.deb", ":") + "dpkg -i /srv/new.deb", hooks: ours},
		{name: "upgraded, then purged", from: l.ours, hooks: stock,
			do: repack("/srv/dkms-hooks.deb", ":") + "dpkg -i /srv/new.deb && dpkg -P dkms-hooks"},
		{name: "dkms reinstalled", from: l.ours, do: "dpkg -i /debs/dkms_*.deb", hooks: ours},
		{name: "dkms upgraded, then ours purged and dkms brought back", from: l.ours, hooks: stock,
			do: changedDKMS() + `dpkg -i /srv/new.deb && grep -q changed /etc/kernel/prerm.d/dkms.stock &&
dpkg -P dkms-hooks && grep -q changed /etc/kernel/prerm.d/dkms && dpkg -i --force-downgrade --force-confnew /debs/dkms_*.deb`},
		{name: "installed before dkms", from: l.stock, hooks: ours,
			do: "dpkg -P --force-depends dkms && dpkg --unpack /srv/dkms-hooks.deb && dpkg -i /debs/dkms_*.deb && dpkg --configure -a"},
		{name: "unpacked after dkms, then both configured", from: l.stock, hooks: ours,
			do: "dpkg -P --force-depends dkms && dpkg --unpack /debs/dkms_*.deb && dpkg --unpack /srv/dkms-hooks.deb && dpkg --configure -a"},
		{name: "unpacked after dkms, both configured, then purged", from: l.stock, hooks: stock,
			do: "dpkg -P --force-depends dkms && dpkg --unpack /debs/dkms_*.deb && dpkg -i /srv/dkms-hooks.deb; dpkg --configure -a && dpkg -P dkms-hooks"},
		{name: "unpacked after dkms and purged before that is configured", from: l.stock, hooks: stock,
			do: "dpkg -P --force-depends dkms && dpkg --unpack /debs/dkms_*.deb && dpkg --unpack /srv/dkms-hooks.deb && dpkg -P dkms-hooks && dpkg --configure -a"},
		{name: "dkms upgraded in the same run", from: l.stock, hooks: ours,
			do: changedDKMS() + `dpkg --unpack /srv/new.deb && dpkg --unpack /srv/dkms-hooks.deb && dpkg --configure -a &&
grep -q changed /etc/kernel/prerm.d/dkms.stock && dpkg -i --force-downgrade --force-confnew /debs/dkms_*.deb`},
		{name: "dkms removed and installed again", from: l.ours, hooks: ours,
			do: "dpkg -r --force-depends dkms && dpkg -i /debs/dkms_*.deb"},
		{name: "dkms purged and installed again", from: l.ours, hooks: ours,
			do: "dpkg -P --force-depends dkms && dpkg -i /debs/dkms_*.deb"},
		{name: "dkms purged, then ours", from: l.ours, hooks: withoutDKMS(stock),
			do: "dpkg -P --force-depends dkms && dpkg -P dkms-hooks"},
		{name: "both purged by apt", from: l.ours, hooks: withoutDKMS(stock), do: "apt-get purge -y dkms dkms-hooks"},
		{name: "both removed by apt, then purged", from: l.ours, hooks: withoutDKMS(stock),
			do: "apt-get remove -y dkms dkms-hooks && dpkg -P dkms-hooks dkms"},
		{name: "purged without its links", from: l.ours, do: "cd /etc/kernel && rm postinst.d/dkms header_postinst.d/dkms prerm.d/dkms postrm.d/dkms && dpkg -P dkms-hooks", hooks: stock},
		{name: "dkms purged, the notes lost, then ours", from: l.ours, hooks: setAside(stock),
			do: "dpkg -P --force-depends dkms && rm /var/lib/dkms-hooks/links && dpkg -P dkms-hooks"},
		{name: "purged where filesystems are mounted", from: l.ours, hooks: stock,
			do: `touch /srv/conf /etc/dkms-hooks.conf && mount --bind /srv/conf /etc/dkms-hooks.conf &&
for d in /etc/dkms-hooks.conf.d /run/dkms-hooks /var/log/dkms-hooks; do mkdir -p $d && mount -t tmpfs none $d || exit; done; dpkg -P dkms-hooks`},
		{name: "purged with links to directories elsewhere", from: l.ours, hooks: stock,
			do: `mkdir /srv/kept && touch /srv/kept/file && rm -rf /var/log/dkms-hooks && for l in /etc/dkms-hooks.conf.d /run/dkms-hooks /var/log/dkms-hooks; do ln -s /srv/kept $l || exit; done
dpkg -P dkms-hooks && [ -e /srv/kept/file ] && ! find /etc/dkms-hooks.conf.d /run/dkms-hooks /var/log/dkms-hooks 2>/dev/null | grep .`},
		{name: "purged with a directory of hooks that cannot be written", from: l.ours, hooks: stock,
			do: `cd /etc/kernel/prerm.d && rm dkms && echo mine >dkms && dpkg -r dkms-hooks && mount --bind . . && cd . && cd /etc/kernel/prerm.d && mount -o remount,ro,bind . &&
dpkg -P dkms-hooks && cd / && umount /etc/kernel/prerm.d && rm /etc/kernel/prerm.d/dkms.local`},
		{name: "killed before the postrm of a removal, then removed", from: l.ours, hooks: stock,
			do: `cd /var/lib/dpkg/info && cp dkms-hooks.postrm /srv && printf '#!/bin/sh\nkill -KILL $PPID\n' >dkms-hooks.postrm && ! dpkg -r dkms-hooks &&
! find /etc/kernel -xtype l | grep . && cp /srv/dkms-hooks.postrm . && dpkg -r dkms-hooks`},
		{name: "a removal that another package requests and aborts", from: l.ours, fails: true, hooks: ours,
			do: `mkdir -p /srv/other/DEBIAN && cd /srv/other && printf '%s\n' 'Package: other' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' \
'Conflicts: dkms-hooks' 'Replaces: dkms-hooks' 'Provides: dkms-hooks' >DEBIAN/control && printf '#!/bin/sh\nfind /etc/kernel -type l | grep dkms\nexit 1\n' >DEBIAN/preinst &&
chmod 755 DEBIAN/preinst && dpkg-deb -b . /srv/other.deb >/dev/null && dpkg -i /srv/other.deb`},
		{name: "an installation that fails to unpack", from: l.stock, fails: true, hooks: stock,
			do: squatter("/usr/sbin/dkms-hooks") + "dpkg -i /srv/dkms-hooks.deb; s=$?; dpkg -r squatter && exit $s"},
		{name: "an upgrade that fails to unpack", from: l.ours, fails: true, hooks: ours,
			do: squatter("/usr/share/squatted") + repack("/srv/dkms-hooks.deb", "touch /srv/new/usr/share/squatted") +
				"dpkg -i /srv/new.deb; s=$?; dpkg -r squatter && exit $s"},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l.turns.need(t, i)
			r := row.from.Fork(t, l.Scratch)
			r.CopyIn(t, l.Deb, "dkms-hooks.deb")
			out, exit := r.Run(t, row.do)
			assert.Equal(t, row.fails, exit != 0, "exit status %d\n%s", exit, out)
			assert.Equal(t, row.hooks, hooksDir(t, r), "/etc/kernel\n%s", out)
			l.checkPackages(t, r, row.name)
		})
	}
}

// testPackageInRun installs, upgrades and removes the package in the run of dpkg that changes a
// kernel: what is noted, backed up or requested by then is not lost.
func testPackageInRun(t *testing.T, l suite) {
	whole := ending{image: installed, modules: present}
	for i, row := range []struct {
		name, do string
		want     ending
	}{
		{"upgraded while headers without a hook are unpacked", repack("/srv/dkms-hooks.deb", ":") +
			"dpkg -i $image1 && dpkg --unpack $headers1 /srv/new.deb && dpkg --configure -a", whole},
		{"the same, the package first", repack("/srv/dkms-hooks.deb", ":") +
			"dpkg -i $image1 && dpkg --unpack /srv/new.deb $headers1 && dpkg --configure -a", whole},
		{"purged with the kernel", "dpkg --unpack $headers1 $image1 && dpkg --configure -a && dpkg -P linux-image-$K linux-headers-$K dkms-hooks", ending{modules: gone}},
		{"purged after a removal that was aborted", "dpkg --unpack $headers1 $image1 && dpkg --configure -a && fails prerm remove; dpkg -r --force-depends linux-image-$K; repaired; dpkg -P dkms-hooks",
			ending{image: "deinstall ok installed", modules: present}},
	} {
		t.Run(row.name, func(t *testing.T) {
			l.turns.need(t, i)
			r := l.ours.Fork(t, l.Scratch)
			r.Must(t, "dpkg -P acpi-call-dkms") // two modules are enough here
			l.WithKernels(t, r, "builddeb")
			r.CopyIn(t, l.Deb, "dkms-hooks.deb")
			out, _ := r.Run(t, ". /srv/lib.sh; "+row.do, l.Env()...)
			row.want.holds(t, look(t, r, l.Kver, sureModules()...), out)
			left := r.Must(t, "find /var/lib/dkms -name '.backup-*' -o -name '.old-*' -o -name '.unbuild-*'")
			assert.Empty(t, left, "%s", out)
		})
	}
}

// checkPackages checks what holds whatever happened: dpkg has no complaint, no
// hook dangles, our diversions are there exactly while our package is.
func (l suite) checkPackages(t *testing.T, r lab.Root, row string) {
	t.Helper()
	assert.Empty(t, strings.TrimSpace(r.Must(t, "dpkg --audit")), row)
	assert.Empty(t, r.Must(t, "find /etc/kernel -xtype l"), "dangling links")
	status, _ := r.Run(t, "dpkg-query -W -f '${db:Status-Status}' dkms-hooks 2>/dev/null")
	diversions := strings.Count(r.Must(t, "dpkg-divert --list"), "by dkms-hooks")
	if status == "installed" {
		assert.Equal(t, 10, diversions, "five hooks below /etc and below /usr/share")
		return
	}
	assert.Zero(t, diversions)
	if status == "" || status == "not-installed" {
		out, _ := r.Run(t, "ls -d /var/lib/dkms-hooks /usr/libexec/dkms-hooks 2>/dev/null")
		assert.Empty(t, out, "what is left behind")
	}
}

// hooksDir lists /etc/kernel with the sums of its files and the targets of its
// links. A directory that holds nothing is not listed: which package keeps one is
// nobody's concern.
func hooksDir(t *testing.T, r lab.Root) []string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `[ -d etc/kernel ] || exit 0; cd etc/kernel
find . -type l -printf '%p -> %l\n'; find . -type f -printf '%p %m ' -exec sh -c 'sha256sum <"$1"' - {} \;`)
	cmd.Dir = r.Dir
	out, err := cmd.Output()
	require.NoError(t, err)
	lines := strings.FieldsFunc(string(out), func(c rune) bool { return c == '\n' })
	slices.Sort(lines)
	return lines
}

// withoutDKMS is a listing without dkms's own hooks.
func withoutDKMS(listing []string) []string {
	rest := []string{}
	for _, line := range listing {
		if !strings.Contains(line, ".d/dkms ") {
			rest = append(rest, line)
		}
	}
	return rest
}

// setAside is a listing with dkms's own hooks under a name that run-parts ignores.
func setAside(listing []string) []string {
	aside := withoutDKMS(listing)
	for _, line := range listing {
		if strings.Contains(line, ".d/dkms ") && !strings.HasPrefix(line, "./install.d/") {
			aside = append(aside, strings.Replace(line, ".d/dkms ", ".d/dkms.dpkg-old ", 1))
		}
	}
	slices.Sort(aside)
	return aside
}

// repack makes /srv/new.deb: a package with a higher version, changed by a shell
// command while it lies open in /srv/new.
func repack(deb, change string) string {
	return `rm -rf /srv/new && dpkg-deb -R ` + deb + ` /srv/new && sed -i '/^Version: /s/$/+new/' /srv/new/DEBIAN/control && ` +
		change + ` && dpkg-deb -Zgzip -z1 -b /srv/new /srv/new.deb >/dev/null && `
}

// changedDKMS makes /srv/new.deb: dkms with other hooks.
func changedDKMS() string {
	return repack("/debs/dkms_*.deb", `for f in /srv/new/etc/kernel/*.d/dkms; do echo '# changed' >>$f; done`)
}

// squatter installs a package that owns a path.
func squatter(path string) string {
	return `mkdir -p /srv/squatter/DEBIAN && install -D -m 644 /dev/null /srv/squatter` + path + ` &&
printf '%s\n' 'Package: squatter' 'Version: 1' 'Architecture: all' 'Maintainer: x <x@example.org>' 'Description: x' >/srv/squatter/DEBIAN/control &&
dpkg-deb -b /srv/squatter /srv/squatter.deb >/dev/null && dpkg -i /srv/squatter.deb && `
}
