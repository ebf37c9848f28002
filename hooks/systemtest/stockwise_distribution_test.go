//go:build integration

package systemtest

// distributionScenarios: dkms installs where its rule for the name of the system says.
func distributionScenarios() []scenario {
	const kind = "the name of the system"
	// named gives the system another name, where every version of dkms looks for it.
	named := func(lines string) string {
		return `rm -f /etc/os-release /usr/lib/os-release /etc/lsb-release && printf 'VERSION_ID=1\n` + lines + `\n' >/usr/lib/os-release && ln -s ../usr/lib/os-release /etc/os-release`
	}
	placed := func(name, dir string) string {
		return ` && module ` + name + ` 99.0 --conf 'DEST_MODULE_LOCATION[0]="` + dir + `"'`
	}
	// at MODULE DIR: what dkms built is installed there, and nowhere else.
	const at = `
at() {
	found=$(cd "/lib/modules/$K" && find . -name "$1.ko*")
	case $found in
	./$2/$1.ko | ./$2/$1.ko.?z | ./$2/$1.ko.zst) ;;
	*) wrong "$1 is in: $found" ;;
	esac
	cmp -s "/lib/modules/$K/$found" "/var/lib/dkms/$1/99.0/$K/x86_64/module/${found##*/}" || wrong "$1 is not what was built"
	[ "$(modinfo -k "$K" -n "$1" 2>/dev/null)" = "/lib/modules/$K/${found#./}" ] || wrong "$1 is not found"
	! dkms status | grep -q 'Diff' || wrong "dkms sees differences"
}
`
	const nothing = `[ -z "$(find "/lib/modules/$K" -name '*.ko*' 2>/dev/null)" ] || wrong "modules are left"; unbuilt late; registered late 99.0`
	foo := named("ID=foo") + placed("late", "/extra/")
	own := named("ID=foo") + placed("lru_cache", "/kernel/lib")
	const lru = "configured; at lru_cache kernel/lib"
	return []scenario{
		{kind: kind, name: "none that dkms knows: a kernel comes", from: fresh, stock: "all", quick: true,
			steps: []string{foo, "comes $K", "byhand", "unrelated"}, right: at + "configured; at late extra; has alpha; builds alpha 1"},
		{kind: kind, name: "none that dkms knows: a kernel comes and goes", from: fresh, stock: "trixie",
			steps: []string{foo + placed("other", "/kernel/drivers/other"), "comes $K", "goes $K"}, right: at + nothing + "; registered other 99.0"},
		{kind: kind, name: "none that dkms knows: files are lost", from: fresh,
			steps: []string{foo, "comes $K", `rm "/lib/modules/$K/extra/"late.ko*`, "byhand"}, right: at + "configured; at late extra"},
		{kind: kind, name: "none that dkms knows: a module replaces one of the kernel", from: fresh, stock: "all",
			steps: []string{own, "comes $K", "byhand"}, right: at + lru},
		{kind: kind, name: "none that dkms knows: a module replaces one of the kernel, which is upgraded", from: fresh, stock: "trixie", quick: true,
			steps: []string{own, "comes $K", "dpkg -i $image2 $headers2"}, right: at + lru},
		{kind: kind, name: "none that dkms knows: the same, and the kernel of that package changes", from: fresh,
			steps: []string{own, `dpkg -i $headers1 $otherheaders && renamed $image1 /srv/old.deb linux-image-current 1 && renamed $otherimage /srv/new.deb linux-image-current 2 && dpkg -i --force-depends /srv/old.deb && dpkg -i --force-depends /srv/new.deb`},
			right: at + `[ ! -d "/lib/modules/$K/kernel" ] || wrong "modules of K are left"; unbuilt lru_cache; K=$OTHER; at lru_cache kernel/lib`},
		{kind: kind, name: "one that is like Debian", from: fresh, stock: "all",
			steps: []string{named(`ID=foo\nID_LIKE=debian`) + placed("late", "/extra"), "comes $K", "byhand"}, right: at + "configured; at late updates/dkms; has alpha"},
		{kind: kind, name: "it changes", stock: "all",
			steps: []string{named("ID=foo") + placed("late", "/extra"), "byhand", named("ID=debian"), "byhand", "unrelated"}, right: at + "configured; at late extra; has alpha; builds alpha 1"},
		{kind: kind, name: "only dkms knows where", from: fresh, stock: "all",
			steps: []string{named("ID=foo") + ` && module late 99.0 --conf 'DEST_MODULE_LOCATION[0]="/$(echo extra)"'`, "comes $K", "byhand", "unrelated"}, right: at + "configured; at late extra; has alpha; builds alpha 1"},
		{kind: kind, name: "only dkms knows where, and the kernel goes", from: fresh, stock: "trixie",
			steps: []string{named("ID=foo") + ` && module late 99.0 --conf 'DEST_MODULE_LOCATION[0]="/$(echo kernel/late)"'`, "comes $K", "goes $K"}, right: at + nothing},
	}
}
