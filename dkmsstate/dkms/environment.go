package dkms

import (
	"path/filepath"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

// Environment returns the environment of dkms and of the other programs, sorted by name. It is
// the caller's environment, as with the stock hooks, without the variables that are withheld.
// The assignments of more are added without restriction, except that LC_ALL is always C. So the
// passphrase of a signing key (KBUILD_SIGN_PIN of the kernel's sign-file), the variables by
// which some modules let people override a check, proxies and the like reach the programs.
func Environment(caller, more []string) []string {
	env := map[string]string{"HOME": "/root"}
	var path []string
	for _, entry := range caller {
		name, value, ok := strings.Cut(entry, "=")
		switch {
		case !ok || withheld(name):
		case name == "PATH":
			path = filepath.SplitList(value)
		default:
			env[name] = value
		}
	}
	env["PATH"] = searchPath(path)
	env["DEBIAN_FRONTEND"] = "noninteractive" // nobody can answer: stdin is /dev/null
	for _, entry := range more {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	env["LC_ALL"] = "C" // the output of dkms is parsed here
	out := make([]string, 0, len(env))
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// noTransaction is a directive that dkms follows after each file that it reads (safe_source), so that
// post_transaction of framework.conf counts for nothing in a call and in those of its scripts.
// (--directive is followed in a subshell of dkms install, which changes nothing.)
const noTransaction = "DKMS_DIRECTIVE_TRANSACTION=post_transaction="

// environment returns Environ with the marks of a call and of the run.
func (d DKMS) environment(mark string) []string {
	env := slices.Clone(d.Environ)
	if env == nil {
		env = Environment(nil, nil)
	}
	if d.Lock != nil {
		env = append(env, record.RunVariable+"="+d.Lock.Mark())
	}
	if d.noTransaction {
		env = append(env, noTransaction)
	}
	return append(env, CallVariable+"="+mark)
}

// searchPath returns the system's directories, followed by the other ones of the caller. A
// compiler in /opt is found, and none takes the place of the system's.
func searchPath(caller []string) string {
	path := filepath.SplitList(dkmsstate.SystemPath)
	for _, dir := range caller {
		if filepath.IsAbs(dir) && !slices.Contains(path, dir) {
			path = append(path, dir)
		}
	}
	return strings.Join(path, string(filepath.ListSeparator))
}

// withheld reports whether a variable of the caller is not passed to children, because it
// selects what to build for, or changes how programs interpret their arguments and input.
//
// Variables that only affect how to build are passed, as with the stock hooks: LLVM, KCFLAGS,
// IGNORE_CC_MISMATCH, LD_PRELOAD of eatmydata(1) and fakeroot(1). (dkms unsets CC, CXX, CFLAGS,
// CXXFLAGS and LDFLAGS itself.) So are those that dpkg exports, which a script of a module
// needs to call dpkg-trigger(1).
func withheld(name string) bool {
	for _, prefix := range []string{"LC_", "KCONFIG_", "BASH_FUNC_", "DKMS_DIRECTIVE"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if strings.HasPrefix(name, "KBUILD_") {
		return !forPeople(name)
	}
	return name == "" || slices.ContainsFunc([][]string{makeVariables(), kernelVariables(), dkmsVariables(), programVariables(), conversationVariables()},
		func(names []string) bool { return slices.Contains(names, name) })
}

// forPeople reports whether a variable of Kbuild is one that people set
// (Documentation/kbuild/kbuild.rst). The others select directories, or come from the make of a
// kernel that called us.
func forPeople(name string) bool {
	return slices.Contains([]string{"KBUILD_SIGN_PIN", "KBUILD_MODPOST_WARN", "KBUILD_EXTRA_WARN"}, name) || strings.HasPrefix(name, "KBUILD_BUILD_")
}

// makeVariables returns make's own variables, as set by a make that called us: its options (-n,
// -e, -C) and the descriptors of its job server.
func makeVariables() []string {
	return []string{"MAKE", "MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKEFILES", "MAKELEVEL", "MAKEOVERRIDES", "MAKECMDGOALS", "MAKE_TERMOUT", "MAKE_TERMERR"}
}

// kernelVariables returns the variables that select the kernel and the architecture: those of
// the kernel's Makefile, and those that the Makefiles of modules use by convention. If somebody
// sets one for a build of his own, the modules of every kernel would be built for that kernel.
func kernelVariables() []string {
	return []string{
		"ARCH", "SUBARCH", "SRCARCH", "UTS_MACHINE", "CROSS_COMPILE", "CROSS_COMPILE_ARM32", "CROSS_COMPILE_COMPAT",
		"KERNELRELEASE", "KERNELVERSION", "LOCALVERSION", "INSTALL_MOD_PATH", "INSTALL_MOD_DIR", "INSTALL_PATH", "DESTDIR",
		"MODLIB", "DEPMOD", "M", "O", "SUBDIRS", "srctree", "objtree",
		"KVER", "KVERSION", "KERNEL_VERSION", "KERNEL_VER", "KERNEL_UNAME", "KDIR", "KSRC", "KSRCDIR", "KOBJ", "KERNELDIR", "KERNEL_DIR",
		"KERNELSRC", "KERNEL_SRC", "KERNEL_SOURCE", "KERNEL_SOURCES", "KERNEL_SOURCE_DIR", "KERNEL_BUILD_DIR", "KLIB", "KLIB_BUILD",
		"SYSSRC", "SYSOUT",
	}
}

// dkmsVariables returns the variables that dkms (2.8 to 3.2) reads as its own without having
// set them, and those that select where it works.
func dkmsVariables() []string {
	return []string{
		"ID", "ID_LIKE", "_aa", "_da", "_ka", "_mv", "do_signing", "prepared_kernel", "post_transaction", "autoinstall_all_kernels", "modprobe_on_install",
		"symlink_modules", "no_depmod", "delayed_depmod", "build_exclude", "ADDON_MODULES_DIR", "WEAK_MODULES_BIN", "TMPDIR", "TMP", "TEMP",
	}
}

// programVariables returns the variables that change how a shell runs its scripts, and those
// with options of programs that dkms and modules call: an option in XZ_OPT may produce a module
// that the kernel cannot decompress. Such options of dkms are in framework.conf.
func programVariables() []string {
	return []string{
		"BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "BASH_COMPAT", "BASH_XTRACEFD", "CDPATH", "GLOBIGNORE", "EXECIGNORE", "IFS", "PS4",
		"POSIXLY_CORRECT", "PWD", "OLDPWD", "GREP_OPTIONS", "GREP_COLOR", "GREP_COLORS", "TAR_OPTIONS",
		"XZ_OPT", "XZ_DEFAULTS", "GZIP", "ZSTD_CLEVEL", "ZSTD_NBTHREADS", "LANG", "LANGUAGE",
	}
}

// conversationVariables returns the variables that belong to descriptors that children do not
// get: those of debconf (debconf-devel(7)), which would otherwise use another descriptor for
// its protocol. The marks of a run and of a call are two of them.
func conversationVariables() []string {
	return []string{"DEBIAN_HAS_FRONTEND", "DEBCONF_REDIR", "DEBCONF_OLD_FD_BASE", "DEBIAN_FRONTEND", record.RunVariable, CallVariable}
}
