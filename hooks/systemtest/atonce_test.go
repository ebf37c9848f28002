//go:build integration

package systemtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// testAtOnce runs hooks side by side, and kills them. dkms has no lock of its
// own, and two of it at work on one module spoil both builds.
func testAtOnce(t *testing.T, l suite) {
	from := l.whole("builddeb")
	unbuilt := from.settled.Fork(t, l.Scratch)
	unbuilt.Must(t, `dpkg -P acpi-call-dkms && dkms-hooks run prerm "$K" --params remove`, "K="+l.Kver) // two modules are enough here
	ending{image: "install ok installed", modules: gone}.holds(t, look(t, unbuilt, l.Kver, sureModules()...), "")
	whole := ending{image: "install ok installed", modules: present}

	t.Run("two that build", func(t *testing.T) {
		r := unbuilt.Fork(t, l.Scratch)
		r.Must(t, countBuilds)
		out := r.Must(t, `/etc/kernel/postinst.d/dkms "$K" & /etc/kernel/header_postinst.d/dkms "$K"; s=$?; wait $! && exit $s`, "K="+l.Kver)
		whole.holds(t, look(t, r, l.Kver, sureModules()...), out)
		assert.Equal(t, "alpha-1.0 1\nbeta-1.0 1\n", r.Must(t, builds), out)
	})
	t.Run("one that builds and one that removes", func(t *testing.T) {
		r := unbuilt.Fork(t, l.Scratch)
		out := r.Must(t, `/etc/kernel/postinst.d/dkms "$K" & `+until(locked)+`
dkms-hooks run prerm "$K" --params remove; s=$?; wait $! && exit $s`, "K="+l.Kver)
		ending{image: "install ok installed", modules: gone}.holds(t, look(t, r, l.Kver, sureModules()...), out)
	})
	t.Run("two kernels", func(t *testing.T) {
		r := unbuilt.Fork(t, l.Scratch)
		other := l.OtherKver()
		r.Must(t, "mv /etc/kernel /etc/kernel.away; dpkg -i $otherheaders $otherimage; s=$?; rm -rf /etc/kernel; mv /etc/kernel.away /etc/kernel; exit $s", l.Env()...)
		out := r.Must(t, `dkms-hooks run postinst "$K" & dkms-hooks run postinst "$other"; s=$?; wait $! && exit $s`, "K="+l.Kver, "other="+other)
		whole.holds(t, look(t, r, l.Kver, sureModules()...), out)
		whole.holds(t, look(t, r, other, sureModules()...), out)
	})
	for name, state := range map[string]string{
		"it has the lock":    locked,
		"make runs":          `cat /proc/[0-9]*/comm 2>/dev/null | grep -qx make`,
		"alpha is built":     `ls /var/lib/dkms/alpha/1.0/$K/*/module/alpha.ko* >/dev/null 2>&1`,
		"alpha is installed": `ls /lib/modules/$K/updates/dkms/alpha.ko* >/dev/null 2>&1`,
		"depmod runs":        `cat /proc/[0-9]*/comm 2>/dev/null | grep -qx depmod`,
	} {
		t.Run("killed when "+name+", and run again at once", func(t *testing.T) {
			r := unbuilt.Fork(t, l.Scratch)
			out := r.Must(t, `dkms-hooks run postinst "$K" & `+until(state)+`
kill -9 $!; wait $!; dkms-hooks run postinst "$K"`, "K="+l.Kver)
			whole.holds(t, look(t, r, l.Kver, sureModules()...), out)
		})
	}
}

// countBuilds lets each build of a module append the name of its source to a file. builds
// prints how often each was built.
const (
	countBuilds = `for conf in /usr/src/*/dkms.conf; do
	dir=${conf%/dkms.conf}
	printf '#!/bin/sh\necho %s >>/var/tmp/builds\n' "${dir##*/}" >"$dir/count.sh" && chmod 755 "$dir/count.sh" && echo 'PRE_BUILD="count.sh"' >>"$conf" || exit
done`
	builds = `sort /var/tmp/builds | uniq -c | awk '{ print $2, $1 }'`
)

// locked is the state in which a run of the hooks, or somebody else, has the lock.
const locked = `! flock -n /var/lib/dkms-hooks/lock true`

// until waits in a script for a state, or for the end of what runs in the background.
func until(state string) string {
	return `until ` + state + ` || ! kill -0 $! 2>/dev/null; do sleep 0.01; done`
}

// testEight runs eight hooks at once, for one kernel and for several: the end is that
// of one after the other.
func testEight(t *testing.T, l suite) {
	from := l.small(t)
	k := l.needQuick(t, "that is built in a second")
	kernels := []string{k.kver}
	for _, other := range findKernels(t, l.kernels) {
		if other.kver != k.kver {
			from.Must(t, "dpkg --force-overwrite -i $headers1 && dpkg --force-overwrite -i $image1", l.copyKernel(t, from, other)...)
			kernels = append(kernels, other.kver)
		}
	}
	unbuilt := from.Fork(t, l.Scratch)
	unbuilt.Must(t, "for k in "+strings.Join(kernels, " ")+"; do dkms-hooks run prerm $k --params remove; done")
	all := func(r lab.Root) string {
		var out string
		for _, kver := range kernels {
			out += r.Must(t, listing, "K="+kver)
		}
		return out
	}
	cases := map[string][]string{"several kernels": kernels}
	if l.kills > 0 {
		cases["one kernel"] = kernels[:1]
	}
	for name, sets := range cases {
		for job, hook := range map[string]string{"build": "dkms-hooks run postinst", "remove": "dkms-hooks run prerm --params remove", "reconcile": "dkms-hooks reconcile #"} {
			t.Run(name+" "+job, func(t *testing.T) {
				begin := unbuilt
				if job == "remove" {
					begin = from
				}
				var calls []string
				for i := range 8 {
					calls = append(calls, hook+" "+sets[i%len(sets)])
				}
				inTurn, atOnce := begin.Fork(t, l.Scratch), begin.Fork(t, l.Scratch)
				inTurn.Must(t, strings.Join(calls, "\n"))
				out := atOnce.Must(t, "p=\n{ "+strings.Join(calls, "\n} & p=\"$p $!\"\n{ ")+"\n} & p=\"$p $!\"\nfor i in $p; do wait $i || exit 1; done")
				assert.Equal(t, all(inTurn), all(atOnce), out)
			})
		}
	}
}
