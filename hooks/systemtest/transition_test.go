//go:build integration

package systemtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// transition is something that happens to a kernel, as a shell script, and what
// must have come of it.
type transition struct {
	name string
	// style is the only style of kernel packages that has it, "" for both.
	style string
	// fresh begins without the kernel; else it is installed, with every module.
	fresh bool
	do    string
	want  ending
}

// ending is what a transition must come to.
type ending struct {
	// image is dpkg's status of the image package, "" for unknown to dpkg.
	image string
	// gone: nothing is built or installed for the kernel; else every module is,
	// and modinfo finds it.
	gone bool
	// kept: nothing was compiled again.
	kept bool
	// exit is the exit status of the script.
	exit int
	// says are words that the output holds.
	says []string
}

func transitions() []transition {
	const installed = "install ok installed"
	present := ending{image: installed}
	kept := ending{image: installed, kept: true}
	removed := ending{image: "", gone: true}
	failing := func(hook string) string {
		return "printf '#!/bin/sh\\nexit 1\\n' >/etc/kernel/" + hook + ".d/zz-fail; chmod 755 /etc/kernel/" + hook + ".d/zz-fail; "
	}
	return []transition{
		{name: "headers installed, then the image", fresh: true, style: "builddeb", want: present,
			do: "dpkg -i $headers1 && dpkg -i $image1"},
		{name: "image and headers unpacked, then configured", fresh: true, want: present,
			do: "dpkg --unpack $headers1 $image1 && dpkg --configure -a"},
		{name: "image installed, then the headers", fresh: true, want: present,
			do: "dpkg -i $image1 && dpkg -i $headers1"},
		{name: "image reinstalled", want: kept, do: "dpkg -i $image1"},
		{name: "image and headers reinstalled", want: kept, do: "dpkg -i $image1 $headers1"},
		{name: "upgraded to a new revision", want: kept, do: "dpkg -i $image2 $headers2"},
		{name: "upgraded while selected for removal", want: kept,
			do: "echo linux-image-$K deinstall | dpkg --set-selections && dpkg -i $image2 $headers2"},
		{name: "upgraded while on hold", do: "echo linux-image-$K hold | dpkg --set-selections && dpkg -i --force-hold $image2 $headers2",
			want: kept},
		{name: "reinstalled while headers are gone", want: ending{image: installed, kept: true},
			do: "dpkg -r --force-depends linux-headers-$K && dpkg -i $image1"},
		{name: "upgraded while headers are gone", want: kept,
			do: "dpkg -r --force-depends linux-headers-$K && dpkg -i $image2"},
		{name: "upgrade that fails in preinst", want: ending{image: installed, kept: true, exit: 1},
			do: "mkdir -p /etc/kernel/preinst.d; " + failing("preinst") + "dpkg -i $image2"},
		{name: "dpkg -r", want: removed, do: "dpkg -r linux-image-$K linux-headers-$K; s=$?; dpkg -P linux-image-$K; exit $s"},
		{name: "dpkg -P", want: removed, do: "dpkg -P linux-image-$K linux-headers-$K"},
		{name: "apt remove", do: "apt-get remove -y linux-image-$K linux-headers-$K",
			want: ending{image: "deinstall ok config-files", gone: true}},
		{name: "apt purge", want: removed, do: "apt-get purge -y linux-image-$K linux-headers-$K"},
		{name: "image removed, headers stay", want: removed, do: "dpkg -P --force-depends linux-image-$K"},
		{name: "removed, installed again", want: present,
			do: "dpkg -r linux-image-$K linux-headers-$K && dpkg --unpack $headers1 $image1 && dpkg --configure -a"},
		{name: "removal aborted by a later hook",
			do:   failing("prerm") + "dpkg -r --force-depends linux-image-$K",
			want: ending{image: "deinstall ok installed", exit: 1}},
		{name: "removed in favour of a package with the same kernel", style: "builddeb", want: ending{kept: true},
			do: inFavour("keep")},
		{name: "removed in favour of a package with another kernel", style: "builddeb",
			want: removed, do: inFavour("drop")},
	}
}

// inFavour makes a package that conflicts with the image, with the same kernel or
// without any, and installs it in its place.
func inFavour(kernel string) string {
	script := `dpkg-deb -R $image1 /srv/other &&
sed -i -e 's/^Package: .*/Package: linux-other/' -e '/^Version:/aConflicts: linux-image-'$K'\nReplaces: linux-image-'$K'\nProvides: linux-image-'$K /srv/other/DEBIAN/control &&
`
	if kernel == "drop" {
		script += `rm -r /srv/other/lib /srv/other/boot /srv/other/DEBIAN/p* && install -D -m 644 /dev/null /srv/other/usr/share/other &&
(cd /srv/other && md5sum usr/share/other >DEBIAN/md5sums) &&
`
	}
	return script + `dpkg-deb -b /srv/other /srv/other.deb >/dev/null && dpkg -i -B --auto-deconfigure --force-depends /srv/other.deb && { dpkg -P linux-image-$K || :; }`
}

// testTransitions runs every transition with our hooks, which must come to what
// it says, and with the stock hooks beside them, for the table.
func testTransitions(t *testing.T, l lab, table *outcomes) {
	for _, style := range styles() {
		t.Run(style, func(t *testing.T) {
			stock := l.settled(t, l.stock, style)
			ours := l.settled(t, l.ours, style)
			for _, tr := range transitions() {
				if tr.style != "" && tr.style != style {
					continue
				}
				t.Run(tr.name, func(t *testing.T) { l.compare(t, tr, style, stock, ours, table) })
			}
		})
	}
}

// stage is a root with the kernel packages at hand, before and after the kernel
// was installed.
type stage struct {
	fresh, settled root
}

// settled installs a kernel, headers first, so that one run sees both.
func (l lab) settled(t *testing.T, from root, style string) stage {
	t.Helper()
	s := stage{fresh: from.fork(t, l.scratch)}
	l.withKernels(t, s.fresh, style)
	s.settled = s.fresh.fork(t, l.scratch)
	out := s.settled.must(t, "dpkg --unpack $headers1 $image1 && dpkg --configure -a", kernelEnv(l.kver)...)
	got := look(t, s.settled, l.kver, goodModules()...)
	for name, m := range got.modules {
		require.True(t, m.found, "%s is not there to begin with\n%s", name, out)
	}
	return s
}

// compare runs a transition with either kind of hooks.
func (l lab) compare(t *testing.T, tr transition, style string, stock, ours stage, table *outcomes) {
	t.Helper()
	before := look(t, ours.settled, l.kver, goodModules()...)
	gotStock, outStock, exitStock, tookStock := l.after(t, tr, stock)
	got, out, exit, took := l.after(t, tr, ours)
	table.add(outcome{
		where:      l.suite + " " + style,
		transition: tr.name,
		stock:      gotStock.cell(exitStock, tookStock),
		ours:       got.cell(exit, took),
	})
	tr.want.check(t, before, got, exit, out)
	if tr.want.gone && gotStock.count(func(m moduleState) bool { return m.built }) == 0 {
		assert.Subset(t, gotStock.dirs, got.dirs, "directories that stock would not leave\n%s", outStock)
	}
}

// after is the state that a transition leaves a stage in.
func (l lab) after(t *testing.T, tr transition, s stage) (state, string, int, time.Duration) {
	t.Helper()
	from := s.settled
	if tr.fresh {
		from = s.fresh
	}
	r := from.fork(t, l.scratch)
	started := time.Now()
	out, exit := r.run(t, tr.do, kernelEnv(l.kver)...)
	took := time.Since(started)
	return look(t, r, l.kver, goodModules()...), out, exit, took
}

// check holds a state against the ending.
func (e ending) check(t *testing.T, before, got state, exit int, out string) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("output:\n%s\nstate: %+v", out, got)
		}
	}()
	assert.Equal(t, e.exit, exit, "exit status")
	assert.Equal(t, e.image, got.image, "dpkg's status of the image")
	for _, words := range e.says {
		assert.Contains(t, out, words)
	}
	for name, m := range got.modules {
		assert.True(t, m.registered, "%s is registered", name)
		assert.Equal(t, !e.gone, m.built, "%s is built", name)
		assert.Equal(t, !e.gone, m.installed, "%s is installed", name)
		assert.Equal(t, !e.gone, m.found, "modinfo finds %s", name)
		if e.kept {
			assert.Equal(t, before.modules[name].builtAt, m.builtAt, "%s was compiled again", name)
		}
	}
	if e.gone {
		assert.Empty(t, got.updates, "what is left below updates")
		for _, dir := range got.dirs {
			assert.False(t, strings.HasPrefix(dir, "/var/lib/dkms"), "%s is left in the tree of dkms", dir)
		}
	}
}
