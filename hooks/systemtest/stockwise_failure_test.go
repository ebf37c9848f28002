//go:build integration

package systemtest

// failureScenarios: a build that failed for want of something is tried again once it is
// there; one that failed with an error of the compiler is not, before something changes.
func failureScenarios() []scenario {
	const kind = "failures"
	const tool = `module needs 1.0 --count --pre-build '/usr/bin/labtool || exit 1' && shipping labtool /usr/bin/labtool`
	const bad = `module bad 1.0 --count --broken`
	const library = `module needs 1.0 --count --code '#include "/usr/include/lablibrary.h"' && shipping lablibrary /usr/include/lablibrary.h /dev/null`
	// The stock hooks leave the kernel half-configured, and what configures it tries again.
	const comesWhatever = "comes $K || :"
	const arrives = "dpkg -i /srv/labtool.deb && dpkg --configure -a"
	return []scenario{
		{kind: kind, name: "a tool comes", from: fresh, stock: "trixie", quick: true,
			steps: []string{tool, comesWhatever, arrives}, right: "has needs; has alpha; configured"},
		{kind: kind, name: "a tool comes by apt", from: fresh, stock: "trixie",
			steps: []string{tool, comesWhatever, "apt install /srv/labtool.deb"}, right: "has needs; has alpha; configured"},
		{kind: kind, name: "a tool comes, and another kernel after it", from: fresh, stock: "trixie",
			steps: []string{tool, comesWhatever, arrives, "comes $OTHER"}, right: "has needs; has needs $OTHER; has alpha; has alpha $OTHER; configured"},
		{kind: kind, name: "a tool comes, and the kernel's own hook", from: fresh, stock: "trixie",
			steps: []string{tool, comesWhatever, arrives, "byhand"}, right: "has needs; has alpha; configured"},
		{kind: kind, name: "a tool comes that the makefile calls", from: fresh, stock: "trixie",
			steps: []string{`module needs 1.0 --count && sed -i '1i $(if $(wildcard /usr/bin/labtool),,$(error labtool: not found))' /usr/src/needs-1.0/Makefile && shipping labtool /usr/bin/labtool`, comesWhatever, arrives},
			right: "has needs; has alpha; configured"},
		{kind: kind, name: "a library comes whose header the compiler wanted", from: fresh, stock: "trixie",
			steps: []string{library, comesWhatever, "dpkg -i /srv/lablibrary.deb && dpkg --configure -a"}, right: "has needs; has alpha; configured"},
		{kind: kind, name: "a lock goes", from: fresh, stock: "trixie",
			steps: []string{`module needs 1.0 --count --pre-build '[ ! -e /srv/locked ] || exit 1' && : >/srv/locked`, comesWhatever, "rm /srv/locked && package other 1 && dpkg -i /srv/other.deb && dpkg --configure -a"},
			right: "has needs; has alpha; configured"},
		{kind: kind, name: "a module that stands in the way of nothing else", from: fresh,
			steps: []string{bad, "comes $K"}, right: "has alpha; builds bad 1; configured"},
		{kind: kind, name: "an error of the compiler, then other things happen", from: fresh,
			steps: []string{bad, comesWhatever, "elsewhere", "elsewhere"}, right: "unbuilt bad; builds bad 1; has alpha"},
		{kind: kind, name: "an error of the compiler, then the source is corrected and the kernel's hook runs", from: fresh, stock: "all",
			steps: []string{bad, comesWhatever, "sed -i /#error/d /usr/src/bad-1.0/bad.c && dpkg --configure -a && byhand"}, right: "has bad; has alpha; configured"},
		{kind: kind, name: "a module for other kernels alone", from: fresh, stock: "trixie",
			steps: []string{"module apart 1.0 --exclusive --count", "comes $K", "unrelated"}, right: "unbuilt apart; builds apart 0; has alpha; configured"},
	}
}

// environmentScenarios: what the caller has in its environment reaches dkms, apart from
// what would build something else.
func environmentScenarios() []scenario {
	const kind = "environment"
	const witness = `module sees 1.0 --pre-build 'env >/var/tmp/environment'`
	const right = "has sees; has alpha; configured"
	reaches := func(name, value string) string {
		return "; grep -qxF '" + name + "=" + value + "' /var/tmp/environment || wrong '" + name + " did not reach dkms'"
	}
	play := func(name, variables, right string, quick bool) scenario {
		return scenario{kind: kind, name: name, from: fresh, quick: quick, steps: []string{witness, "dpkg -i $headers1 && " + variables + " dpkg -i $image1"}, right: right}
	}
	stockToo := func(s scenario) scenario { s.stock = "all"; return s }
	return []scenario{
		stockToo(play("the passphrase of a signing key", "KBUILD_SIGN_PIN='two words'", right+reaches("KBUILD_SIGN_PIN", "two words"), true)),
		stockToo(play("a vendor's variables", "IGNORE_PREEMPT_RT_PRESENCE=1 IGNORE_CC_MISMATCH=1 LAB_VENDOR=x", right+reaches("IGNORE_PREEMPT_RT_PRESENCE", "1")+reaches("IGNORE_CC_MISMATCH", "1")+reaches("LAB_VENDOR", "x"), false)),
		stockToo(play("a proxy and a home", "HOME=/srv https_proxy=http://proxy.example:3128", right+reaches("HOME", "/srv")+reaches("https_proxy", "http://proxy.example:3128"), false)),
		stockToo(play("a variable that is empty and one of two lines", "LAB_EMPTY= LAB_LINES='a\nb'", right+reaches("LAB_EMPTY", ""), false)),
		play("another architecture", "ARCH=arm64", right, true),
		play("flags of make", "MAKEFLAGS=--dry-run", right, false),
		play("another compiler's prefix", "CROSS_COMPILE=lab-none-", right, false),
		play("another kernel release", "KERNELRELEASE=0.0-none", right, false),
		play("a temporary directory that is not there", "TMPDIR=/srv/none", right, false),
		play("all of them", "ARCH=arm64 MAKEFLAGS=-n CROSS_COMPILE=lab- KERNELRELEASE=1 TMPDIR=/none MFLAGS=-n M=/none O=/none", right, false),
		stockToo(play("a mask of 077", "umask 077;", right, false)),
		stockToo(play("a directory that is gone", "mkdir /srv/gone && cd /srv/gone && rmdir /srv/gone;", right, false)),
	}
}

// signalScenarios: a signal that the caller ignores, or an output that nobody reads,
// fails no kernel.
func signalScenarios() []scenario {
	const kind = "signals and outputs"
	const right = "has sent; has alpha; builds sent 1; configured"
	// sends is a module whose build sends a signal to every process above it up to dpkg.
	sends := func(signal string) string {
		return `module sent 1.0 --count --pre-build '[ ! -e /srv/once ] || exit 0; : >/srv/once; p=$PPID; while [ "$p" -gt 1 ]; do [ "$(cat /proc/$p/comm)" != dpkg ] || break; kill -` + signal +
			` $p; p=$(sed "s/.*) . //; s/ .*//" /proc/$p/stat); done'`
	}
	all := []scenario{
		{kind: kind, name: "errors are closed", from: fresh, stock: "all",
			steps: []string{"module sent 1.0 --count", "dpkg -i $headers1 && dpkg -i $image1 2>&-"}, right: right},
		{kind: kind, name: "nobody reads the errors", from: fresh, quick: true,
			steps: []string{"module sent 1.0 --count", `dpkg -i $headers1 && bash -c 'dpkg -i "$image1" 2> >(exec true)'`}, right: right},
		{kind: kind, name: "nobody reads the hook's output", from: fresh,
			steps: []string{"comes $K", "module sent 1.0 --count", `bash -c 'set -o pipefail; /etc/kernel/postinst.d/dkms "$K" 2>&1 | exec true'`}, right: right},
		{kind: kind, name: "the input is closed", from: fresh, stock: "all",
			steps: []string{"module sent 1.0 --count", "dpkg -i $headers1 && dpkg -i $image1 <&-"}, right: right},
	}
	for _, signal := range []string{"HUP", "INT", "QUIT", "TERM", "PIPE", "USR1"} {
		all = append(all, scenario{kind: kind, name: signal + " is ignored and comes during a build", from: fresh, stock: "all", quick: signal == "HUP",
			steps: []string{sends(signal), "trap '' " + signal + "; comes $K"}, right: right})
	}
	return all
}
