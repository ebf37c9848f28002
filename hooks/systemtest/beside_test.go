//go:build integration

package systemtest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testBeside builds modules side by side where dkms has to make its signing key first,
// and on terminals.
func testBeside(t *testing.T, l suite) {
	env := []string{"K=" + l.Kver}
	t.Run("with no key yet", func(t *testing.T) {
		r := l.whole("builddeb").settled.Fork(t, l.Scratch)
		for i := range 4 {
			l.Make(t, "mkmodule", r.Dir, fmt.Sprintf("many%d", i), "1.0")
		}
		r.Must(t, `dpkg -i /debs/tools/openssl/*.deb && rm -f /var/lib/dkms/mok.* && printf 'Jobs: 4\n' >/etc/dkms-hooks.conf`)
		out := r.Must(t, `dkms-hooks run postinst $K`, env...)
		keys := r.Must(t, `for f in /lib/modules/$K/updates/dkms/many*; do modinfo -F sig_key "$f"; done; openssl x509 -inform DER -in /var/lib/dkms/mok.pub -noout -serial`, env...)
		lines := strings.Fields(keys)
		require.Len(t, lines, 5, keys)
		number := func(s string) string { return strings.TrimLeft(strings.ReplaceAll(s, ":", ""), "0") } // openssl keeps a zero in front
		serial := number(strings.ToUpper(strings.TrimPrefix(lines[4], "serial=")))
		for i, key := range lines[:4] {
			assert.Equal(t, serial, number(key), "the key of many%d\n%s", i, out)
		}
		assertIdle(t, r, `dkms-hooks run postinst $K; dkms-hooks reconcile`, env...)
	})

	t.Run("with a dkms.conf that reads other files", func(t *testing.T) { testBesideRead(t, l) })

	r := l.small(t)
	env = []string{"K=" + l.Kver, "TERM=xterm", "image=/srv/kernels/linux-image-" + l.Kver + "_1_amd64.deb"}
	if k, ok := l.quick(t); ok {
		env = []string{"K=" + k.kver, "TERM=xterm", "image=" + k.in("image", "1")}
	}
	l.Make(t, "mkmodule", r.Dir, "slow", "1.0")
	makefile := r.Path("usr/src/slow-1.0/Makefile")
	text, err := os.ReadFile(makefile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(makefile, append([]byte("$(shell sleep 3)\n"), text...), 0o644))
	const terminals = `mkdir -p /dev/pts && mount -t devpts -o ptmxmode=0666 devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx && `
	const eraseLine = "\x1b[K"
	t.Run("on a terminal", func(t *testing.T) {
		r := r.Fork(t, l.Scratch)
		out := r.Must(t, terminals+`script -qec "dkms-hooks run postinst $K" /dev/null </dev/null`, env...)
		assert.Contains(t, out, eraseLine, "a line that is written again and again")
		assert.NotContains(t, r.Must(t, `dkms unbuild slow/1.0 -k $K >/dev/null; dkms-hooks run postinst $K`, env...), eraseLine, "into a file")
	})
	t.Run("under apt", func(t *testing.T) {
		r := r.Fork(t, l.Scratch)
		r.Must(t, terminals+`script -qec "apt-get install -y --reinstall $image" /dev/null </dev/null`, env...)
		log := r.Must(t, "cat /var/log/apt/term.log")
		assert.Contains(t, log, "slow/1.0")
		assert.NotContains(t, log, eraseLine)
	})
}

// testBesideRead builds modules whose dkms.conf reads other files, as that of v4l2loopback
// does, side by side: two wait for each other. What one of them needs by such a file is
// there when it is built. Each make has all processors.
func testBesideRead(t *testing.T, l suite) {
	r := l.whole("builddeb").settled.Fork(t, l.Scratch)
	const kernel = `[ ! -f $kernel_source_dir/.config ] || . $kernel_source_dir/.config; . /etc/os-release`
	const meet = `echo >>/var/tmp/meeting; until [ "$(wc -l </var/tmp/meeting)" -ge 2 ]; do sleep 0.1; done`
	l.Make(t, "mkmodule", r.Dir, "here", "1.0", "--conf", kernel, "--pre-build", meet)
	l.Make(t, "mkmodule", r.Dir, "there", "1.0", "--conf", kernel, "--pre-build", meet)
	l.Make(t, "mkmodule", r.Dir, "aneeds", "1.0", "--conf", ". /etc/aneeds", "--pre-build", `ls /lib/modules/$1/updates/dkms/zneeded.ko*`)
	l.Make(t, "mkmodule", r.Dir, "zneeded", "1.0", "--conf", kernel)
	r.Must(t, `echo 'BUILD_DEPENDS="zneeded"' >/etc/aneeds
		printf '$(info flags: $(MAKEFLAGS))\n' >>/usr/src/here-1.0/Makefile
		printf 'Jobs: 2\nTimeout: 5m\n' >/etc/dkms-hooks.conf`)
	out := r.Must(t, `dkms-hooks run postinst $K`, "K="+l.Kver)
	names := []string{"here", "there", "aneeds", "zneeded"}
	assert.Empty(t, present.wrong("", look(t, r, l.Kver, names...)), out)
	log := r.Must(t, `cat /var/log/dkms-hooks/$K/here-1.0.log; nproc`, "K="+l.Kver)
	processors := strings.TrimSpace(log[strings.LastIndex(strings.TrimSpace(log), "\n"):])
	if processors != "1" {
		assert.Regexp(t, ` -j`+processors+`\b`, log)
	}
}
