package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks"
)

// hostCommand returns a command in a printed text that acts on the running system if a person types
// it, although the text is about another root. It returns "" without one. root has no character that
// a shell needs quoted.
func hostCommand(text, root string) string {
	text = strings.NewReplacer(`\u0026`, "&", `\u003e`, ">", `\"`, `"`).Replace(text) // as encoding/json has them
	programs := regexp.MustCompile(`(^|[\s(":;])(dkms-hooks (status|explain|run|check|reconcile|log|history|config|remind)|dkms (add|build|install|uninstall|unbuild|remove) ` +
		`|apt (install|reinstall|purge) |dpkg -|dpkg-divert -|depmod (-|\d)|update-initramfs -|dracut -|mokutil -|update-secureboot-policy -|then reboot)`)
	reads := regexp.MustCompile(`^dkms-hooks( \S+){1,4} --root ` + regexp.QuoteMeta(root) + `\b`)
	for _, at := range programs.FindAllStringSubmatchIndex(text, -1) {
		command := text[at[4]:at[5]]
		if !strings.HasSuffix(text[:at[4]], "chroot "+root+" ") && !reads.MatchString(text[at[4]:]) {
			return command
		}
	}
	for _, files := range regexp.MustCompile(`(^|[\s(":;])(chmod|rm|mv|ln|mkdir) [-+][^&;"\n]*|[\s]rm /[^&;"\n]*|>>\S+`).FindAllString(text, -1) {
		for _, path := range regexp.MustCompile(`[ >]/\S*`).FindAllString(files, -1) {
			if !strings.HasPrefix(path[1:], root+"/") {
				return strings.TrimSpace(files)
			}
		}
	}
	return ""
}

func TestHostCommand(t *testing.T) {
	for text, want := range map[string]string{
		"fix: dkms-hooks reconcile":                           "dkms-hooks reconcile",
		"fix: chroot /x dkms-hooks reconcile":                 "",
		"fix: chroot /y dkms-hooks reconcile":                 "dkms-hooks reconcile",
		"dkms-hooks check --root /x":                          "",
		"(dkms-hooks log 6.1 m)":                              "dkms-hooks log",
		"a run of dkms-hooks is active":                       "",
		`"next": "dpkg --configure -a"`:                       "dpkg -",
		"chroot /x dpkg --configure -a":                       "",
		"chroot /x dkms build m && dkms install m -k 6.1":     "dkms install ",
		"rm /x/lib/m.ko && depmod 6.1":                        "depmod 6",
		"if you did not put it there: rm /lib/m.ko":           "rm /lib/m.ko",
		"rm /x/lib/m.ko && chroot /x depmod 6.1":              "",
		"chmod -x /etc/kernel/postinst.d/dkms":                "chmod -x /etc/kernel/postinst.d/dkms",
		`mkdir -p /x/etc \u0026\u0026 echo 'a' >>/etc/x.conf`: ">>/etc/x.conf",
	} {
		assert.Equal(t, want, hostCommand(text, "/x"), text)
	}
}

// kernelsIn returns the kernels of a root, none of one that cannot be read.
func kernelsIn(root string) []hooks.KernelView {
	var out, errors bytes.Buffer
	var o hooks.Overview
	runApp([]string{"dkms-hooks", "status", "--json"}, []string{"DPKG_ROOT=" + root}, &out, &errors)
	_ = json.Unmarshal(out.Bytes(), &o)
	return o.Kernels
}

// views returns calls that only read a root, and between them print all that there is.
func views(root string) [][]string {
	all := [][]string{
		{"status", "--verbose"}, {"status", "--json"}, {"check", "--boot", "--secure-boot", "on"}, {"log", "none"}, {"log", "--follow"}, {"remind", "--summary"},
		{"reconcile", "--dry-run", "--verbose"},
	}
	for _, k := range kernelsIn(root) {
		kernel := string(k.Release)
		for _, hook := range []string{"postinst", "prerm", "postrm"} {
			all = append(all, []string{"explain", hook, kernel})
		}
		all = append(all, []string{"explain", "prerm", kernel, "--package", "linux-image-" + kernel})
		for _, m := range k.Modules {
			all = append(all, []string{"explain", kernel, m.Module + "/" + m.Version})
		}
	}
	return all
}

// changes returns the calls that change a root.
func changes(root string) [][]string {
	var all [][]string
	for _, k := range kernelsIn(root) {
		for _, hook := range []string{"postinst", "header_postinst", "prerm", "postrm"} {
			all = append(all, []string{"run", hook, string(k.Release)})
		}
	}
	return append(all, []string{"reconcile"}, []string{"check", "--repair"}, []string{"remind"})
}

// requireInRoot tests that no call prints a command that acts on the running system. The root is given
// by the option --root, or by DPKG_ROOT to the call of a maintainer script, which environ describes.
func requireInRoot(t *testing.T, root string, environ []string, calls [][]string) {
	args := []string{"dkms-hooks", "--root", root}
	if len(environ) > 0 {
		args, environ = args[:1], append(slices.Clone(environ), "DPKG_ROOT="+root)
	}
	for _, words := range calls {
		var out, errors bytes.Buffer
		runApp(append(slices.Clone(args), words...), environ, &out, &errors)
		if printed := out.String() + errors.String(); hostCommand(printed, root) != "" {
			t.Errorf("%q of %s prints %q:\n%s", words, root, hostCommand(printed, root), printed)
		}
	}
}

// systems returns the roots of a story: its directory, and those in it that contain a system.
func systems(dir string) []string {
	roots := []string{dir}
	inner, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, root := range inner {
		if hasSystem(root) {
			roots = append(roots, root)
		}
	}
	return roots
}

// In a root whose name has a blank, each kind of command is quoted.
func TestCommandsAreQuoted(t *testing.T) {
	inv, err := hooks.ParseSurroundings([]string{"DPKG_ROOT=/my root"})
	assert.NoError(t, err)
	for command, want := range map[string]string{
		"dkms-hooks check":          "dkms-hooks check --root '/my root'",
		"dkms-hooks check --repair": "chroot '/my root' dkms-hooks check --repair",
		"dpkg --configure -a":       "chroot '/my root' dpkg --configure -a",
		"apt reinstall m-dkms":      "chroot '/my root' apt reinstall m-dkms",
	} {
		assert.Equal(t, want, inv.Command(command))
		for _, root := range []string{"", "/"} {
			inv, err := hooks.ParseSurroundings([]string{fmt.Sprintf("DPKG_ROOT=%s", root)})
			assert.NoError(t, err)
			assert.Equal(t, command, inv.Command(command))
		}
	}
}
