//go:build integration

package systemtest

// deed is something that a machine's owner does to the installed file of alpha on K. The
// script names the file by f.
type deed struct {
	name, do string
}

func deeds() []deed {
	return []deed{
		{"signed", `sign "$f"`},
		{"stripped of its debugging symbols", `strip -g "$f"`},
		{"stripped of what no loader needs", `strip --strip-unneeded "$f"`},
		{"compressed by zstd", `zstd -q --rm "$f" && f=$f.zst`},
		{"compressed by xz", `xz --check=crc32 "$f" && f=$f.xz`},
		{"signed and compressed", `sign "$f" && xz --check=crc32 "$f" && f=$f.xz`},
		{"stripped and signed", `strip -g "$f" && sign "$f"`},
		{"of another mode", `chmod 600 "$f"`},
		{"another build of the same module", `sed -i 's/loaded/is here/' /usr/src/alpha-1.0/alpha.c && cp -r /usr/src/alpha-1.0 /srv/build && make -s -C /lib/modules/$K/build M=/srv/build modules && cp /srv/build/alpha.ko "$f" && sed -i 's/is here/loaded/' /usr/src/alpha-1.0/alpha.c`},
	}
}

// ownerScenarios: what the owner did to an installed file stays.
func ownerScenarios() []scenario {
	const kind = "the owner's hand"
	const keep = ` && depmod "$K" && keep "$f" && stat -c %a "$f" >/srv/mode`
	var all []scenario
	for i, d := range deeds() {
		do := `plainly && f=$(ko alpha) && ` + d.do + keep
		all = append(all,
			scenario{kind: kind, name: d.name + ", then things that do not concern the kernel", stock: "all", quick: i == 0,
				steps: []string{do, "byhand", "ours run postinst $K", "unrelated"}, right: "kept; has alpha; builds alpha 1; configured"},
			scenario{kind: kind, name: d.name + ", then the image is installed again", asStock: d.name == "another build of the same module",
				steps: []string{do, "dpkg -i $image1"}, right: "kept; has alpha; configured"},
		)
	}
	return append(all,
		scenario{kind: kind, name: "a hook that signs, and a kernel comes", from: fresh, stock: "all", quick: true,
			steps: []string{"signing", "comes $K"}, right: "has alpha; signed alpha; builds alpha 1; configured"},
		scenario{kind: kind, name: "a hook that signs, and the image is installed again", from: fresh, stock: "trixie",
			steps: []string{"signing", "comes $K", "dpkg -i $image1", "ours reconcile"}, right: "has alpha; signed alpha; configured"},
		scenario{kind: kind, name: "a hook that signs, and two kernels come", from: fresh, stock: "all",
			steps: []string{"signing", "dpkg -i $headers1 $otherheaders $image1 $otherimage", "unrelated"},
			right: "for k in $K $OTHER; do has alpha $k; signed alpha $k; builds alpha 1 $k; done; configured"},
		scenario{kind: kind, name: "a hook that signs, and a kernel of another ABI comes under its name", from: fresh, stock: "trixie",
			steps: []string{needsABI, "signing", "comes $K", "dpkg -i $headers3 && dpkg -i $image3"}, right: "has alpha; fits alpha; signed alpha; configured"},
		scenario{kind: kind, name: "a hook that strips, and a kernel comes", from: fresh, stock: "all",
			steps: []string{"signing && sed -i 's/^\tgrep.*/\tstrip -g \"$file\"/; /^\t\thead/,/^\t}/d; /printf/d' /etc/kernel/postinst.d/zz-sign && sh -n /etc/kernel/postinst.d/zz-sign", "comes $K",
				`f=$(ko alpha) && ! objdump -h "$f" | grep debug_info && keep "$f"`, "unrelated", "byhand"},
			right: "kept; has alpha; builds alpha 1; configured"},
		scenario{kind: kind, name: "a file of the owner's beside those of dkms", stock: "all",
			steps: []string{`cp "$(ko alpha)" "/lib/modules/$K/updates/mine.ko" && keep "/lib/modules/$K/updates/mine.ko"`,
				`cp /srv/mkmodule "/lib/modules/$K/updates/dkms/notes" && keep "/lib/modules/$K/updates/dkms/notes"`, "unrelated", "byhand"},
			right: "kept; has alpha; configured"},
		scenario{kind: kind, name: "the stock hook edited below /etc", stock: "all",
			steps: []string{`f=/etc/kernel/prerm.d/dkms.stock; [ -f "$f" ] || f=/etc/kernel/prerm.d/dkms; echo '# mine' >>"$f" && keep "$f"`,
				"echo '# mine' >>/etc/dkms/framework.conf && keep /etc/dkms/framework.conf", "unrelated", "byhand"}, right: "kept; has alpha; configured"},
	)
}

// needsABI skips where there is no kernel of another ABI under the same name.
const needsABI = `[ -n "$image3" ] || skip 'for want of kernels: there is none of another ABI'`

// damageScenarios: an installed file that cannot be the module is replaced.
func damageScenarios() []scenario {
	const kind = "damage"
	var all []scenario
	for i, d := range []deed{
		{"0 bytes", `: >"$f"`},
		{"cut short", `truncate -s 1000 "$f"`},
		{"cut short by one page", `truncate -s -4096 "$f"`},
		{"text", `echo no module >"$f"`},
		{"zeros of its size", `s=$(stat -c %s "$f") && : >"$f" && truncate -s "$s" "$f"`},
		{"another module", `m=$(find "/lib/modules/$K/kernel" -name 'crc*.ko' | head -n 1) && [ -n "$m" ] || skip 'the kernel is compressed'; cp "$m" "$f"`},
		{"the module of another kernel", `comes $OTHER && cp "$(ko alpha "$OTHER")" "$f" && goes $OTHER`},
		{"signed and cut short", `sign "$f" && truncate -s 2000 "$f"`},
		{"compressed and cut short", `xz --check=crc32 "$f" && f=$f.xz && truncate -s 700 "$f"`},
	} {
		all = append(all, scenario{kind: kind, name: d.name, quick: i == 0,
			steps: []string{`plainly && f=$(ko alpha) && ` + d.do, "depmod $K; byhand", "ours reconcile"}, right: "has alpha; builds alpha 1; configured"})
	}
	return all
}
