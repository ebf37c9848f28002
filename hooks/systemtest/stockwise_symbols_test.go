//go:build integration

package systemtest

import "strings"

// ownLibrary are shell functions that write sources: a library of another prototype than
// the kernel's own, and its users.
const ownLibrary = `
# library DIR NAME SYMBOL: a module that exports a function.
library() {
	cat >"$1/$2.c" <<END
#include <linux/module.h>
struct ours { int a; long b; };
int $3(struct ours *o, const char *name);
int $3(struct ours *o, const char *name) { return o ? o->a : name != NULL; }
EXPORT_SYMBOL($3);
MODULE_DESCRIPTION("lab"); MODULE_LICENSE("GPL"); MODULE_VERSION("1.0");
END
}
# user DIR NAME SYMBOL: a module that uses it.
user() {
	cat >"$1/$2.c" <<END
#include <linux/module.h>
struct ours { int a; long b; };
int $3(struct ours *o, const char *name);
static int __init lab_init(void) { struct ours o = { 0 }; return $3(&o, "x"); }
module_init(lab_init);
MODULE_DESCRIPTION("lab"); MODULE_LICENSE("GPL"); MODULE_VERSION("1.0");
END
}
# second NAME MODULE: a second module of a package.
second() {
	echo "obj-m += $2.o" >>"/usr/src/$1-1.0/Makefile"
	printf 'BUILT_MODULE_NAME[1]="%s"\nDEST_MODULE_LOCATION[1]="/updates/dkms"\n' "$2" >>"/usr/src/$1-1.0/dkms.conf"
}
# extern NAME FILE: the symbols of a file are known to the build.
extern() {
	echo "KBUILD_EXTRA_SYMBOLS := $2" >>"/usr/src/$1-1.0/Makefile"
}
# saving NAME: a package keeps the symbols that it exports, as many do for others.
saving() {
	printf '#!/bin/sh\ncp Module.symvers /var/tmp/%s.symvers\n' "$1" >"/usr/src/$1-1.0/save.sh"
	chmod 755 "/usr/src/$1-1.0/save.sh"
	echo 'POST_BUILD="save.sh"' >>"/usr/src/$1-1.0/dkms.conf"
}
# made DIR NAME: a module made by hand for K.
made() {
	echo "obj-m := $2.o" >"$1/Makefile"
	make -s -C "/lib/modules/$K/build" M="$1" modules
}
`

// symbolScenarios: what dkms builds and installs well is installed, whatever the kernel's
// own Module.symvers says of the symbols.
func symbolScenarios() []scenario {
	const kind = "packages with copies of the kernel's modules"
	again := []string{"byhand", "unrelated", "byhand"}
	play := func(name, right string, quick bool, steps ...string) scenario {
		for i, step := range steps {
			steps[i] = ownLibrary + step
		}
		return scenario{kind: kind, name: name, from: fresh, stock: "all", quick: quick, steps: append(steps, again...), right: right + "; configured"}
	}
	const both = "has crc7 $K lib; has usecrc $K lib; builds lib 1"
	// crc7 is the kernel's own, crc7_be a symbol of it with another prototype.
	const pack = `module lib 1.0 --count && cd /usr/src/lib-1.0 && library . crc7 crc7_be && user . usecrc crc7_be && sed -i 's/"lib"$/"crc7"/; s/NAME="crc7"/NAME="lib"/' dkms.conf &&
echo 'obj-m := crc7.o' >Makefile && second lib usecrc`
	const core = `module zcore 1.0 --count && library /usr/src/zcore-1.0 zcore SYMBOL && saving zcore`
	const users = `module auser 1.0 --count --depends zcore && user /usr/src/auser-1.0 auser SYMBOL && extern auser /var/tmp/zcore.symvers`
	return []scenario{
		play("a library and its user in one package", both, true, pack, "comes $K"),
		play("a library and its user in one package, for two kernels at once", both+"; has crc7 $OTHER lib; has usecrc $OTHER lib; builds lib 1 $OTHER", false,
			pack, "dpkg -i $headers1 $otherheaders $image1 $otherimage"),
		play("a library that is not in the kernel, its user in another package", "has zcore; has auser; builds zcore 1; builds auser 1", false,
			replaced(core, "lab_symbol"), replaced(users, "lab_symbol"), "comes $K"),
		play("a library of a symbol of the kernel's, its user in another package", "has zcore; has auser; builds zcore 1; builds auser 1", true,
			replaced(core, "crc7_be"), replaced(users, "crc7_be"), "comes $K"),
		play("the user comes first, the library later", "has zcore; has auser; builds zcore 1; builds auser 1", false,
			replaced(core, "crc7_be"), "comes $K", replaced(users, "crc7_be"), "byhand"),
		play("a module made by hand in extra/ and its user", "has auser; builds auser 1", false,
			"mkdir /srv/hand && library /srv/hand hand lab_symbol && dpkg -i $headers1 && made /srv/hand hand && mkdir -p /lib/modules/$K/extra && cp /srv/hand/hand.ko /lib/modules/$K/extra/",
			"module auser 1.0 --count && user /usr/src/auser-1.0 auser lab_symbol && extern auser /srv/hand/Module.symvers", "comes $K"),
		play("a copy made by hand in updates/ and its user", "has auser; builds auser 1", false,
			"mkdir /srv/hand && library /srv/hand crc7 crc7_be && dpkg -i $headers1 && made /srv/hand crc7 && mkdir -p /lib/modules/$K/updates && cp /srv/hand/crc7.ko /lib/modules/$K/updates/ && keep /lib/modules/$K/updates/crc7.ko",
			"module auser 1.0 --count && user /usr/src/auser-1.0 auser crc7_be && extern auser /srv/hand/Module.symvers", "comes $K"),
		play("a copy by dkms that the kernel's own symbols would fit as well", "has crc7 $K lib; builds lib 1", false,
			`module lib 1.0 --count && cd /usr/src/lib-1.0 && sed 's/lab_init/crc7_init/' lib.c >crc7.c && sed -i 's/"lib"$/"crc7"/; s/NAME="crc7"/NAME="lib"/' dkms.conf && echo 'obj-m := crc7.o' >Makefile`, "comes $K"),
		play("a symbol that no module on this disk exports", "has auser; builds auser 1", false,
			"module auser 1.0 --count && user /usr/src/auser-1.0 auser lab_symbol && sed -i 's/ modules\"/ KBUILD_MODPOST_WARN=1 modules\"/' /usr/src/auser-1.0/dkms.conf", "comes $K"),
		play("a symbol that a later file of the same package exports, in another directory", "has lib; has usecrc $K lib; builds lib 1", false,
			`module lib 1.0 --count && cd /usr/src/lib-1.0 && library . lib lab_symbol && user . usecrc lab_symbol && second lib usecrc && sed -i '/LOCATION\[1\]/s,/updates/dkms,/updates/users,' dkms.conf`, "comes $K"),
	}
}

// sharedFileScenarios: two packages with one module file. The one that is installed
// stays, and no run puts the other in its place.
func sharedFileScenarios() []scenario {
	const kind = "two packages, one module file"
	const sharing = `
# sharing NAME VERSION: a package whose module is called shared.
sharing() {
	module "$1" "$2" --count && cd "/usr/src/$1-$2" && mv "$1.c" shared.c && echo 'obj-m := shared.o' >Makefile && sed -i "s/^BUILT_MODULE_NAME.*/BUILT_MODULE_NAME[0]=\"shared\"/" dkms.conf
}
`
	const stable = `f=$(ko shared) && keep "$f"`
	play := func(name string, quick bool, first string, right string) scenario {
		return scenario{kind: kind, name: name, from: fresh, quick: quick,
			steps: []string{sharing + first, "comes $K", "byhand", stable, "byhand", "byhand", "unrelated", "byhand"},
			right: "kept; has shared $K one; has alpha; configured" + right}
	}
	return []scenario{
		play("two of one version", true, "sharing one 1.0 && sharing two 1.0", "; builds one 1"),
		play("two of different versions", false, "sharing one 1.0 && sharing two 2.0", "; builds one 1"),
		play("one calls its module otherwise until it is installed", false, "sharing one 1.0 && module two 1.0 --count --conf 'DEST_MODULE_NAME[0]=\"shared\"'", "; builds one 1"),
		play("three", false, "sharing one 1.0 && sharing two 1.0 && sharing three 1.0", "; builds one 1"),
		{kind: kind, name: "one is installed, the other registered later", from: fresh, quick: false,
			steps: []string{sharing + "sharing one 1.0", "comes $K", sharing + "sharing two 1.0", "byhand", stable, "byhand", "unrelated", "byhand"},
			right: "kept; has shared $K one; has alpha; configured; builds one 1"},
		{kind: kind, name: "one is installed, the other put in its place by hand", from: fresh,
			steps: []string{sharing + "sharing one 1.0", "comes $K", sharing + "sharing two 2.0", "dkms install two/2.0 -k $K --force", stable, "unrelated", "unrelated"},
			right: "kept; has shared $K two; has alpha; configured"},
	}
}

// replaced names the symbol in a script.
func replaced(script, symbol string) string { return strings.ReplaceAll(script, "SYMBOL", symbol) }
