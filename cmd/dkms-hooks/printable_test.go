package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks"
)

// hostileRoot returns a machine in which everything that has a name has this text in its name, and
// every text that is printed has it too.
func hostileRoot(t *testing.T, text string) string {
	t.Helper()
	d := newTree(t)
	root, write, link := d.root, d.write, d.link
	quoted, err := json.Marshal("why" + text)
	require.NoError(t, err)
	write("lib/modules/6.1.0/kernel/own.ko", "own")
	write("boot/vmlinuz-6.1.0", "image")
	write("boot/grub/grub.cfg", "set default=\"a"+text+"\"\nmenuentry 'a"+text+"' { linux /vmlinuz-6.1.0 }\n")
	write("var/lib/dpkg/status", "Package: linux-image-6.1.0\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 1"+text+"\n\n"+
		"Package: p"+text+"\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n")
	write("var/lib/dpkg/info/linux-image-6.1.0.list", "/boot/vmlinuz-6.1.0\n")
	write("var/lib/dpkg/info/p.list", "/usr/src/lost"+text+"-1.0/dkms.conf\n")
	for _, name := range []string{"evil", "evil" + text, "other" + text} {
		write("usr/src/"+name+"-1.0/dkms.conf", "PACKAGE_NAME="+name+"\nAUTOINSTALL=yes\n")
		link("/usr/src/"+name+"-1.0", "var/lib/dkms/"+name+"/1.0/source")
		write("var/log/dkms-hooks/6.1.0/"+name+"-1.0.log", name+"/1.0 for 6.1.0, now\nerror: "+text+"\n")
	}
	write("var/lib/dkms/evil"+text+"/1.0/6.1.0/x86_64/module/evil"+text+".ko", "module")
	write("var/lib/dkms/broken"+text+"/2"+text+"/build/make.log", "error")
	link("1.0/6.1.0/x86_64", "var/lib/dkms/evil"+text+"/kernel-6.1.0-x86_64")
	write("lib/modules/6.1.0/updates/dkms/stray"+text+".ko", "stray")
	write("etc/dkms-hooks.conf", "Required: evil zf"+text+"s\nIgnore: x"+text+"\nTim"+text+"out: 2h\nTimeout: 2"+text+"\n")
	write("etc/dkms-hooks.conf.d/a"+text+".conf", "Jobs: "+text+"\n")
	write("etc/modprobe.d/a"+text+".conf", "blacklist evil"+text+"\n")
	write("var/lib/dkms-hooks/unfinished/6.1.0", "failed\n"+text+"\n")
	write("var/lib/dkms-hooks/record.json", `{"version":2,"kernels":{"6.1.0":{"last":{"evil/1.0":{"result":"failed","text":`+string(quoted)+`}}}}}`)
	write("var/lib/dkms-hooks/history", `{"when":"2026-01-02T03:04:05Z","kernel":"6.1.0","did":"keep","text":`+string(quoted)+`,"hook":"prerm","user":`+string(quoted)+"}\n")
	return root
}

// firstControl returns the first control character of a text but newlines and tabs, "" without one.
func firstControl(text string) string {
	for i, r := range text {
		if c := text[i]; r == utf8.RuneError && c != "\uFFFD"[0] {
			r = rune(c) // what a terminal without UTF-8 takes it for
		}
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return text[max(0, i-60):min(len(text), i+20)]
		}
	}
	return ""
}

// Whatever the names and the texts in the trees and on the command line are, nothing that is printed
// contains a control character, nor does the notice. No line begins in the middle of one.
func TestNoControlCharacters(t *testing.T) {
	for _, text := range []string{"\x1b[2J", "\x1b]0;title\a", "\u009b31m", "\x9b31m", "\x7f", "\r", "\b", "\nx"} {
		root := hostileRoot(t, text)
		for _, words := range [][]string{
			{"status"}, {"status", "--verbose"}, {"status", "--boot"}, {"status", text}, {"status", "6.1.0", text},
			{"check"}, {"check", "--verbose"}, {"check", "--boot"}, {"check", "--repair"},
			{"explain", "postinst", "6.1.0"}, {"explain", "6.1.0", "evil"}, {"explain", "6.1.0", "evil" + text}, {"explain", "6.1.0", "none" + text},
			{"explain", "prerm", "6.1.0", "--package", "p" + text, "--params", "remove in-favour p" + text + " 1"}, {"explain", text}, {"explain", text, "m"},
			{"run", "postinst", "6.1.0", "--dry-run"}, {"run", "postinst", "6.1.0"}, {"run", "postinst", "6.1.0", "--verbose"}, {"run", "postinst", text}, {"run", text},
			{"reconcile"}, {"reconcile", "--verbose"}, {"reconcile", text},
			{"log"}, {"log", "evil"}, {"log", "evil" + text}, {"log", "none" + text}, {"log", "6.1.0", "none" + text}, {"log", "6.1.0", text, text},
			{"history"}, {"history", "none" + text}, {"config"}, {"config", "--check", text},
			{"config", "--check", filepath.Join(root, "etc/dkms-hooks.conf")}, {"config", "--check", filepath.Join(root, "etc/dkms-hooks.conf.d/a"+text+".conf")},
			{"remind"}, {"remind", "--summary"}, {"remind", "--initramfs", text}, {"originals", "6.1.0"}, {"originals", text},
			{"complete", "--", "explain", "6.1.0", ""}, {"complete", "--", "explain", "--package", ""}, {"complete", "--", text, ""},
			{"help", text}, {"--root", text, "status"}, {"--" + text}, {"status", "--" + text}, {text}, {"version", text},
		} {
			for _, environ := range [][]string{
				{"DPKG_ROOT=" + root, "SUDO_USER=" + text},
				{"DPKG_ROOT=" + root, "DPKG_MAINTSCRIPT_NAME=postinst", "DPKG_MAINTSCRIPT_PACKAGE=p" + text, "DEB_MAINT_PARAMS=configure " + text},
			} {
				var out, errors bytes.Buffer
				runApp(append([]string{"dkms-hooks"}, words...), environ, &out, &errors)
				for _, printed := range []string{out.String(), errors.String()} {
					require.Empty(t, firstControl(printed), "%q of %q", words, environ)
				}
				if text == "\nx" {
					assert.NotContains(t, errors.String(), "\nx", "%q of %q", words, environ)
				}
			}
		}
		for _, hook := range []hooks.Hook{hooks.Postinst, hooks.HeaderPostinst, hooks.Prerm, hooks.Postrm} {
			for _, args := range [][]string{{"hook", "6.1.0"}, {"hook", text}, {"hook", "6.1.0", text}} {
				var errors bytes.Buffer
				hooks.Main(hook, args, []string{"DPKG_ROOT=" + root, "DPKG_MAINTSCRIPT_NAME=" + text, "DPKG_MAINTSCRIPT_PACKAGE=p" + text, "DEB_MAINT_PARAMS=remove " + text}, &errors)
				require.Empty(t, firstControl(errors.String()), "%s %q", hook, args)
			}
		}
		var out bytes.Buffer
		runApp([]string{"dkms-hooks", "remind"}, []string{"DPKG_ROOT=" + root}, &out, &out)
		notice, err := os.ReadFile(filepath.Join(root, "var/lib/dkms-hooks/notice"))
		require.NoError(t, err)
		assert.Contains(t, string(notice), "zf", "it names a module")
		assert.Empty(t, firstControl(string(notice)))
		for _, line := range strings.Split(strings.TrimSuffix(string(notice), "\n"), "\n") {
			assert.True(t, strings.HasPrefix(line, "dkms-hooks: "), line)
		}
	}
}

// What a program reads is not changed: a control character in JSON is escaped.
func TestControlCharactersInJSON(t *testing.T) {
	for _, text := range []string{"\x1b[2J", "\u009b31m", "\u0080", "\x7f", "\u00a0ö✓\u2028"} {
		var out, errors bytes.Buffer
		runApp([]string{"dkms-hooks", "status", "--json"}, []string{"DPKG_ROOT=" + hostileRoot(t, text)}, &out, &errors)
		require.Empty(t, firstControl(out.String()))
		var read hooks.Overview
		require.NoError(t, json.Unmarshal(out.Bytes(), &read))
		assert.Contains(t, read.Registered, "evil"+text+"/1.0")
	}
}
