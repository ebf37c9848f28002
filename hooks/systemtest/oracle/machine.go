package oracle

import (
	"path/filepath"
	"strings"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// machine is a root that cells begin with, and what its scripts know.
type machine struct {
	lab.Root
	// kernel is the release that starts unless a boot loader decides otherwise.
	kernel string
	env    []string
}

// base returns the machine that cells begin with. It is made when it is first asked for.
func (o *Oracle) base(b Base) machine {
	if m, made := o.bases[b]; made {
		return m
	}
	make := map[Base]func() machine{
		Signed: o.signed, Unsigned: o.unsigned, Two: o.two,
		Lab: func() machine { return o.lab(true) }, LabPlain: func() machine { return o.lab(false) },
	}[b]
	o.bases[b] = make()
	return o.bases[b]
}

// signed makes a machine with Debian's signed kernel, on which dkms signs.
func (o *Oracle) signed() machine {
	debs := filepath.Join(o.Roots, o.Name, "debs", "oracle")
	r := o.Base().Fork(o.t, o.Scratch)
	kernel := o.release(filepath.Join(debs, "machine", "linux-image-[0-9]*.deb"))
	r.Must(o.t, smallInitramfs+"apt-get -qq install -y --no-install-recommends /debs/oracle/machine/*.deb >/srv/log 2>&1 || { cat /srv/log; exit 1; }")
	o.withModule(r, kernel)
	return machine{Root: r, kernel: kernel, env: []string{"K=" + kernel}}
}

// smallInitramfs lets initramfs-tools put in what these machines need, so that they boot faster.
const smallInitramfs = `mkdir -p /etc/initramfs-tools/conf.d /usr/share/initramfs-tools/modules.d
echo MODULES=list >/etc/initramfs-tools/conf.d/oracle; printf 'virtio_pci\nvirtio_blk\next4\n' >/usr/share/initramfs-tools/modules.d/oracle
`

// withModule gives a machine the package under test and a module.
func (o *Oracle) withModule(r lab.Root, kernel string) {
	r.CopyIn(o.t, o.Deb, "dkms-hooks.deb")
	o.Make(o.t, "mkmodule", r.Dir, "alpha", "1.0")
	r.Must(o.t, "dpkg -i /srv/dkms-hooks.deb && dkms-hooks run postinst "+kernel+" && rm -f /srv/dkms-hooks.deb /srv/log && ls /lib/modules/"+kernel+"/updates/dkms/alpha.ko*")
}

// unsigned makes a machine like signed on which dkms has no key and makes none.
func (o *Oracle) unsigned() machine {
	m := o.base(Signed)
	r := m.Fork(o.t, o.Scratch)
	r.Must(o.t, "dpkg -r --force-depends openssl && rm /var/lib/dkms/mok.* && dkms build --force alpha/1.0 -k $K && dkms install --force alpha/1.0 -k $K", m.env...)
	return machine{Root: r, kernel: m.kernel, env: m.env}
}

// two makes a machine like signed with an older kernel besides.
func (o *Oracle) two() machine {
	m := o.base(Signed)
	second := o.release(filepath.Join(o.Roots, o.Name, "debs", "oracle", "second", "linux-image-*.deb"))
	r := m.Fork(o.t, o.Scratch)
	r.Must(o.t, "dpkg -i /debs/oracle/second/linux-image-*.deb")
	return machine{Root: r, kernel: m.kernel, env: append(m.env, "SECOND="+second)}
}

// lab makes a machine with a kernel of make kernels, with symbol versions or without.
func (o *Oracle) lab(versions bool) machine {
	images, err := filepath.Glob(filepath.Join(o.kernels, "linux-image-*-1_amd64.deb"))
	require.NoError(o.t, err)
	for _, image := range images {
		kernel := releaseOf(image)
		if strings.HasSuffix(kernel, "n") == versions {
			continue
		}
		r := o.Base().Fork(o.t, o.Scratch)
		env := []string{"K=" + kernel}
		debs, err := filepath.Glob(filepath.Join(o.kernels, "linux-*-"+kernel+"_*.deb"))
		require.NoError(o.t, err)
		for _, deb := range debs {
			o.copyIn(r, deb)
			part := strings.Split(filepath.Base(deb), "-")[1]
			revision := strings.TrimSuffix(deb, "_amd64.deb")
			env = append(env, part+revision[len(revision)-1:]+"=/srv/"+filepath.Base(deb))
		}
		r.Must(o.t, "dpkg -i $headers1 && dpkg -i $image1", env...)
		o.withModule(r, kernel)
		return machine{Root: r, kernel: kernel, env: env}
	}
	require.FailNow(o.t, "no kernel of make kernels", o.kernels)
	return machine{}
}

func (o *Oracle) copyIn(r lab.Root, file string) { r.CopyIn(o.t, file, filepath.Base(file)) }

// release returns the kernel of the only package of an image that a pattern names.
func (o *Oracle) release(pattern string) string {
	found, err := filepath.Glob(pattern)
	require.NoError(o.t, err)
	require.Len(o.t, found, 1, pattern)
	return releaseOf(found[0])
}

func releaseOf(image string) string {
	kernel, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(image), "linux-image-"), "_")
	return kernel
}
