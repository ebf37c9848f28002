//go:build integration

package systemtest

// row is something that happens to a kernel, as a shell script, and what must
// have come of it, whatever the caller tells the hooks.
type row struct {
	name string
	// style is the only style of kernel packages that has it, "" for both.
	style string
	// from is what it begins with: settled, with the kernel and its headers
	// installed and every module in place, unless it says fresh or two.
	from string
	do   string
	want ending
}

// Where a row begins.
const (
	fresh = "fresh"
	two   = "two"
)

// dpkg's statuses of an image.
const (
	installed   = "install ok installed"
	configFiles = "deinstall ok config-files"
)

func rows() []row {
	var all []row
	for _, some := range [][]row{installRows(), upgradeRows(), abortRows(), removeRows(), swapRows(), splitRows(), oddRows()} {
		all = append(all, some...)
	}
	return all
}

func installRows() []row {
	whole := ending{image: installed, modules: present}
	return []row{
		{name: "headers installed, then the image", from: fresh, want: whole,
			do: "dpkg -i --force-depends $headers1 && dpkg -i $image1"},
		{name: "image installed, then the headers", from: fresh, want: whole,
			do: "dpkg -i $image1 && dpkg -i $headers1"},
		{name: "image and headers unpacked, then configured", from: fresh, want: whole,
			do: "dpkg --unpack $headers1 $image1 && dpkg --configure -a"},
		{name: "apt install", from: fresh, want: whole,
			do: "apt install $image1 $headers1"},
		{name: "image installed, never any headers", from: fresh, want: ending{image: installed, modules: unbuilt},
			do: "dpkg -i $image1"},
		{name: "installation fails in preinst", from: fresh, want: ending{modules: unbuilt, exit: 1},
			do: "fails preinst install; dpkg -i $image1"},
		{name: "unpacked, then removed", from: fresh, want: ending{modules: gone},
			do: "dpkg --unpack $headers1 $image1 && dpkg -r linux-image-$K linux-headers-$K; s=$?; dpkg -P linux-image-$K; exit $s"},
		{name: "unpacked, then upgraded", from: fresh, want: whole,
			do: "dpkg --unpack $headers1 $image1 && dpkg -i $headers2 $image2"},
		{name: "image installed, then the headers unpacked and configured", from: fresh, want: whole,
			do: "dpkg -i $image1 && dpkg --unpack $headers1 && dpkg --configure -a"},
		{name: "image installed, then the headers by apt", from: fresh, want: whole,
			do: "dpkg -i $image1 && apt install $headers1"},
		{name: "second kernel installed", want: ending{image: installed, modules: present, kept: true, other: present},
			do: "dpkg --unpack $otherheaders $otherimage && dpkg --configure -a"},
	}
}

func upgradeRows() []row {
	kept := ending{image: installed, modules: present, kept: true}
	return []row{
		{name: "image reinstalled", want: kept, do: "dpkg -i $image1"},
		{name: "image and headers reinstalled", want: kept, do: "dpkg -i $image1 $headers1"},
		{name: "apt reinstall", want: kept, do: "apt install --reinstall $image1"},
		{name: "headers reinstalled", want: kept, do: "dpkg -i $headers1"},
		{name: "headers removed", want: kept, do: "dpkg -r --force-depends linux-headers-$K"},
		{name: "upgraded to a new revision", want: kept, do: "dpkg -i $image2 $headers2"},
		{name: "apt upgrade to a new revision", want: kept, do: "apt install $image2 $headers2"},
		{name: "upgrade unpacked, then configured", want: kept,
			do: "dpkg --unpack $image2 $headers2 && dpkg --configure -a"},
		{name: "downgraded", want: kept, do: "dpkg -i $image2 $headers2 && dpkg -i $image1 $headers1"},
		{name: "upgraded while on hold", want: kept,
			do: "echo linux-image-$K hold | dpkg --set-selections && dpkg -i --force-hold $image2 $headers2"},
		{name: "upgraded while selected for removal", want: kept,
			do: "echo linux-image-$K deinstall | dpkg --set-selections && dpkg -i $image2 $headers2"},
		{name: "reinstalled while headers are gone", want: kept,
			do: "dpkg -r --force-depends linux-headers-$K && dpkg -i $image1"},
		{name: "upgraded while headers are gone", want: kept,
			do: "dpkg -r --force-depends linux-headers-$K && dpkg -i $image2"},
		{name: "dpkg-reconfigure", want: kept, do: "dpkg-reconfigure linux-image-$K"},
		{name: "architecture-qualified: apt reinstall of linux-image:amd64", want: kept,
			do: "cd /srv/kernels && apt install --reinstall ./${image1##*/} && dpkg -s linux-image-$K:amd64 >/dev/null"},
	}
}

// abortRows are upgrades that fail on their way.
func abortRows() []row {
	kept := ending{image: installed, modules: present, kept: true}
	failed := ending{image: installed, modules: present, kept: true, exit: 1}
	return []row{
		{name: "upgrade fails in preinst", want: failed, do: "fails preinst upgrade; dpkg -i $image2"},
		{name: "upgrade fails in the old prerm (failed-upgrade)", style: "builddeb", want: kept,
			do: "fails prerm upgrade; dpkg -i $image2"},
		{name: "upgrade fails in both prerms", style: "builddeb", want: failed,
			do: "fails prerm upgrade failed-upgrade; dpkg -i $image2"},
		{name: "upgrade fails in the old postrm (failed-upgrade)", want: kept,
			do: "fails postrm upgrade; dpkg -i $image2"},
		{name: "upgrade fails in both postrms", want: failed,
			do: "fails postrm upgrade failed-upgrade; dpkg -i $image2"},
		{name: "upgrade fails in postinst, then configured", want: kept,
			do: "fails postinst configure; dpkg -i $image2; mended; dpkg --configure -a"},
		{name: "half-configured, then reinstalled", want: kept,
			do: "fails postinst configure; dpkg -i $image1; mended; dpkg -i $image1"},
		{name: "dpkg killed in the prerm of an upgrade, then upgraded", style: "builddeb", want: kept,
			do: "kills prerm upgrade; dpkg -i $image2; dpkg -i $image2"},
		{name: "dpkg killed in the postinst of an upgrade, then configured", want: kept,
			do: "kills postinst configure; dpkg -i $image2; dpkg --configure -a"},
	}
}

func removeRows() []row {
	const both = "linux-image-$K linux-headers-$K"
	removed := ending{modules: gone}
	back := ending{image: "deinstall ok installed", modules: present, kept: true, exit: 1}
	return []row{
		{name: "dpkg -r", want: removed, do: "dpkg -r " + both + "; s=$?; dpkg -P linux-image-$K; exit $s"},
		{name: "dpkg -P", want: removed, do: "dpkg -P " + both},
		{name: "dpkg -P of an architecture-qualified name", want: removed,
			do: "dpkg -P linux-image-$K:amd64 linux-headers-$K:amd64"},
		{name: "dpkg -r while on hold", want: removed,
			do: "echo linux-image-$K hold | dpkg --set-selections; dpkg -r " + both + "; s=$?; dpkg -P linux-image-$K; exit $s"},
		{name: "dpkg --remove --pending, selected before", want: removed,
			do: "for p in " + both + "; do echo $p purge; done | dpkg --set-selections && dpkg --purge --pending"},
		{name: "apt remove", want: ending{image: configFiles, modules: gone}, do: "apt remove " + both},
		{name: "apt purge", want: removed, do: "apt purge " + both},
		{name: "apt autoremove", want: ending{image: configFiles, modules: gone},
			do: "apt-mark auto " + both + " && apt autoremove -o APT::Protect-Kernels=false"},
		{name: "headers purged, then the image", want: removed,
			do: "dpkg -P --force-depends linux-headers-$K && dpkg -P linux-image-$K"},
		{name: "image purged, headers stay", want: removed, do: "dpkg -P --force-depends linux-image-$K"},
		{name: "image purged, then its headers", want: removed,
			do: "dpkg -P --force-depends linux-image-$K && dpkg -P linux-headers-$K"},
		{name: "one of two kernels purged", from: two, want: ending{modules: gone, other: present},
			do: "dpkg -P " + both},
		{name: "two kernels removed in one run of dpkg", from: two, want: ending{modules: gone, other: gone},
			do: "dpkg -P " + both + " linux-image-$OTHER linux-headers-$OTHER"},
		{name: "two kernels purged in one run of apt", from: two, want: ending{modules: gone, other: gone},
			do: "apt purge " + both + " linux-image-$OTHER linux-headers-$OTHER"},
		{name: "one kernel upgraded, the other removed, in one run of apt", from: two,
			want: ending{image: installed, modules: present, kept: true, other: gone},
			do:   "apt install $image2 $headers2 linux-image-$OTHER- linux-headers-$OTHER-"},
		{name: "removed, installed again", want: ending{image: installed, modules: present},
			do: "dpkg -r " + both + " && dpkg --unpack $headers1 $image1 && dpkg --configure -a"},
		{name: "removal aborted by a later hook", want: back,
			do: "fails prerm remove; dpkg -r --force-depends linux-image-$K"},
		{name: "removal by apt aborted by a later hook", style: "builddeb", want: ending{image: installed, modules: present, kept: true, exit: 100},
			do: "fails prerm remove; apt remove linux-image-$K"},
		{name: "removal by apt aborted after the headers went", want: ending{image: installed, modules: present, kept: true, exit: 100},
			do: "fails prerm remove; apt remove " + both},
		{name: "postrm of a removal fails, then removed", want: removed,
			do: "fails postrm remove; dpkg -P " + both + "; mended; dpkg -P " + both},
		{name: "half-configured, then removed", want: removed,
			do: "fails postinst configure; dpkg -i $image1; mended; dpkg -P " + both},
		{name: "dpkg killed in prerm, then dpkg --configure -a", want: ending{image: "deinstall ok half-configured", modules: present, kept: true},
			do: "kills prerm remove; dpkg -r --force-depends linux-image-$K; dpkg --configure -a"},
		{name: "dpkg killed in prerm, then removed", want: removed,
			do: "kills prerm remove; dpkg -P " + both + "; dpkg -P " + both},
		{name: "dpkg killed in prerm under apt, then dpkg --configure -a, then apt install", want: ending{image: installed, modules: present},
			do: "kills prerm remove; apt remove " + both + "; dpkg --configure -a; apt install --reinstall $image1 $headers1"},
		{name: "dpkg killed in postrm, then removed", want: removed,
			do: "kills postrm remove; dpkg -P " + both + "; dpkg -P " + both},
	}
}
