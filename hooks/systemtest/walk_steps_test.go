//go:build integration

package systemtest

import (
	"math/rand/v2"
	"strings"
)

// walkStep is one thing that happens.
type walkStep struct {
	do string
	// kvers are the kernels that it concerns, the variables K and OTHER by name.
	kvers []string
	// deed: the owner does it, and no hook is called. oursAlone: the stock hooks have
	// no such thing.
	deed, oursAlone bool
}

// step draws what happens next, to one of the kernels or to both.
func (l suite) step(draw *rand.Rand) walkStep {
	one := func(words ...string) string { return words[draw.IntN(len(words))] }
	kver, k, image, headers := l.Kver, "$K", one("$image1", "$image2"), one("$headers1", "$headers2")
	if draw.IntN(3) == 0 {
		kver, k, image, headers = l.OtherKver(), "$OTHER", "$otherimage", "$otherheaders"
	}
	if draw.IntN(3) == 0 {
		return walkStep{do: ownersDeed(k, one), kvers: []string{kver}, deed: true}
	}
	if draw.IntN(10) == 0 {
		return walkStep{do: one("apt install /srv/labtool.deb", "dpkg -i /srv/labtool.deb", "package other 1; dpkg -i /srv/other.deb") + "; dpkg --configure -a --force-depends"}
	}
	install := "dpkg -i --force-depends "
	remove := one("dpkg -r", "dpkg -P") + " --force-depends "
	damage := one(
		"rm -rf /lib/modules/"+k+"/updates",
		"rm -f /var/lib/dkms/*/kernel-"+k+"-*",
		"rm -rf /var/lib/dkms/alpha/1.0/"+k,
		"rm -rf /var/lib/dkms/*/*/"+k+"/*/module",
		"find /lib/modules/"+k+"/updates -name 'alpha.ko*' -exec truncate -s 0 {} +",
		"find /var/lib/dkms/beta/1.0/"+k+" -name '*.ko*' -exec truncate -s 0 {} +",
		"rm -f /lib/modules/"+k+"/modules.*",
		"mkdir -p /var/lib/dkms/alpha/1.0/"+k+"/.tmp_x86_64_walked/module",
		": >/var/lib/dkms/depmod-pending-"+k+"-x86_64",
		"ln -sfn 0.9/"+k+"/x86_64 /var/lib/dkms/beta/kernel-"+k+"-x86_64",
	)
	do := one(
		install+headers+" "+image,
		install+headers+" "+image,
		install+image,
		install+headers,
		"dpkg --unpack --force-depends "+image+" "+headers+"; dpkg --configure -a --force-depends",
		"dpkg --unpack --force-depends "+headers+"; dpkg --configure -a --force-depends",
		"apt install --reinstall "+image+" "+headers,
		remove+"linux-image-"+k,
		remove+"linux-headers-"+k,
		remove+"linux-headers-"+k+" linux-image-"+k,
		remove+"linux-image-$K linux-image-$OTHER",
		"apt "+one("remove", "purge")+" linux-image-"+k+" linux-headers-"+k,
		"fails prerm remove; "+remove+"linux-image-"+k,
		"fails preinst; "+install+image,
		"fails postrm "+one("upgrade", "upgrade failed-upgrade", "remove")+"; "+install+image+"; repaired; "+remove+"linux-image-"+k,
		"fails postinst configure; "+install+image+"; repaired; dpkg --configure -a --force-depends",
		"kills prerm "+one("remove", "upgrade")+"; "+one(remove+"linux-image-"+k, install+image)+"; repaired; dpkg --configure -a --force-depends; "+install+image,
		"kills prerm remove; "+remove+"linux-image-"+k+"; repaired; dpkg --configure -a --force-depends",
		"kills "+one("postinst configure", "postrm remove")+"; "+one(remove+"linux-image-"+k, install+image)+"; repaired; dpkg --configure -a --force-depends; "+install+image+" "+headers,
		"echo linux-image-"+k+" "+one("hold", "deinstall", "install", "purge")+" | dpkg --set-selections; "+install+"--force-hold "+image,
		damage+"; ours check --repair",
		damage+"; "+install+image,
		damage+"; "+remove+"linux-image-"+k,
		"/etc/kernel/prerm.d/dkms "+k,
		"ours run prerm "+k+" --params remove; ours check --repair",
		"dkms build extra/1.0 -k "+k+" & "+install+image+"; wait",
	)
	s := walkStep{do: do, kvers: []string{kver}, oursAlone: strings.Contains(do, "ours run")}
	if strings.Contains(do, "check --repair") || strings.Contains(do, "linux-image-$K linux-image-$OTHER") {
		s.kvers = l.kvers()
	}
	return s
}

// ownersDeed draws what the owner does to a kernel by hand.
func ownersDeed(k string, one func(...string) string) string {
	at := func(do string) string {
		return `for f in $(find /lib/modules/` + k + `/updates/ -name 'alpha.ko*'); do case $f in *.xz) xz -d $f; f=${f%.xz} ;; esac; ` + do + `; depmod ` + k + `; done`
	}
	return one(
		at(`sign $f`),
		at(`strip -g $f`),
		at(`sign $f; xz --check=crc32 $f`),
		"dkms uninstall alpha/1.0 -k "+k,
		"dkms unbuild beta/1.0 -k "+k,
		"dkms unbuild alpha/1.0 -k "+k,
		"dkms install old/0.9 -k "+k+" --force",
		"dkms install extra/1.0 -k "+k,
		"dkms build extra/1.0 -k "+k,
		"dkms install alpha/1.0 -k "+k,
		"echo '# mine' >>/etc/dkms/framework.conf",
		"rm -f /usr/bin/labtool",
	)
}
