package dkms

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
)

func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		caller, more []string
		want         []string // besides what is always there
	}{
		"nothing": {},
		"what says how to build": {
			caller: []string{"KBUILD_SIGN_PIN=a b", "IGNORE_CC_MISMATCH=1", "IGNORE_PREEMPT_RT_PRESENCE=1", "LLVM=1", "KCFLAGS=-O1", "CC=clang",
				"https_proxy=p", "LD_PRELOAD=libeatmydata.so", "KBUILD_BUILD_USER=me", "mok_signing_key=/k"},
			want: []string{"KBUILD_SIGN_PIN=a b", "IGNORE_CC_MISMATCH=1", "IGNORE_PREEMPT_RT_PRESENCE=1", "LLVM=1", "KCFLAGS=-O1", "CC=clang",
				"https_proxy=p", "LD_PRELOAD=libeatmydata.so", "KBUILD_BUILD_USER=me", "mok_signing_key=/k"},
		},
		"what dpkg exports": {
			caller: []string{"DPKG_MAINTSCRIPT_PACKAGE=linux-image", "DEB_MAINT_PARAMS=configure"},
			want:   []string{"DPKG_MAINTSCRIPT_PACKAGE=linux-image", "DEB_MAINT_PARAMS=configure"},
		},
		"what says for what to build": {
			caller: []string{"MAKEFLAGS=-n", "MAKELEVEL=1", "ARCH=arm64", "CROSS_COMPILE=x-", "KERNELRELEASE=1", "KBUILD_OUTPUT=/x", "KBUILD_EXTMOD=/x",
				"KVER=1", "KDIR=/x", "O=/x", "M=/x", "INSTALL_MOD_PATH=/x", "TMPDIR=/x", "KCONFIG_CONFIG=/x"},
		},
		"what changes shells and programs": {
			caller: []string{"BASH_ENV=/x", "ENV=/x", "SHELLOPTS=noexec", "BASH_FUNC_make%%=() { :; }", "CDPATH=/", "IFS=x", "POSIXLY_CORRECT=1",
				"GREP_OPTIONS=-v", "XZ_OPT=-F lzma", "LANG=de_DE", "LC_MESSAGES=de_DE", "LC_ALL=de_DE", "LANGUAGE=de"},
		},
		"what dkms takes for its own": {
			caller: []string{"_mv=m/1", "post_transaction=false", "DKMS_DIRECTIVE=dkms_tree=/x", "ADDON_MODULES_DIR=/x", "autoinstall_all_kernels=1", "ID=x", "ID_LIKE=y"},
		},
		"debconf's": {
			caller: []string{"DEBIAN_HAS_FRONTEND=1", "DEBCONF_REDIR=1", "DEBIAN_FRONTEND=dialog", record.RunVariable + "=1"},
		},
		"no assignments": {caller: []string{"", "x", "=y"}},
		"more is heard": {
			caller: []string{"ARCH=x", "A=1"},
			more:   []string{"ARCH=arm64", "A=2", "DEBIAN_FRONTEND=text", "HOME=/h", "TMPDIR="},
			want:   []string{"ARCH=arm64", "A=2", "DEBIAN_FRONTEND=text", "HOME=/h", "TMPDIR="},
		},
		"the caller's home and path": {
			caller: []string{"HOME=/h", "PATH=/opt/bin:.:/bin::/sbin:rel/bin"},
			want:   []string{"HOME=/h", "PATH=" + dkmsstate.SystemPath + ":/opt/bin"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{"PATH": dkmsstate.SystemPath, "HOME": "/root", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
			assert.Equal(t, mapOf(want, c.want), mapOf(nil, Environment(c.caller, c.more)))
		})
	}
}

func mapOf(base map[string]string, entries []string) map[string]string {
	out := map[string]string{}
	for name, value := range base {
		out[name] = value
	}
	for _, entry := range entries {
		for i := range entry {
			if entry[i] == '=' {
				out[entry[:i]] = entry[i+1:]
				break
			}
		}
	}
	return out
}

// Of the calls of dkms, no unbuild runs post_transaction, and an install only if nobody else can.
func TestCallsRunNoTransaction(t *testing.T) {
	for name, c := range map[string]struct {
		engine           DKMS
		install, unbuild bool
	}{
		"none is set":     {DKMS{}, false, false},
		"one is set":      {DKMS{Transaction: true}, true, true},
		"only dkms knows": {DKMS{Transaction: true, TransactionByDKMS: true}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.install, slices.Contains(c.engine.installing().environment("x"), noTransaction))
			assert.Equal(t, c.unbuild, slices.Contains(c.engine.unbuilding().environment("x"), noTransaction))
			assert.NotContains(t, c.engine.environment("x"), noTransaction)
		})
	}
}

// A dkms that would make an initramfs for each module has the option not to.
func TestNoInitramfsByDKMS(t *testing.T) {
	assert.Equal(t, []string{"install", "-k", "6.1"}, DKMS{}.alone("install", "-k", "6.1"))
	assert.Equal(t, []string{"install", "-k", "6.1", "--no-initrd"}, DKMS{RemakesInitramfs: true}.alone("install", "-k", "6.1"))
}
