//go:build integration

package systemtest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// confs are ways to write a dkms.conf, each as the end of one: what follows from
// AUTOINSTALL there is what the stock hooks make of it.
func confs() map[string]string {
	return map[string]string{
		"latin1":    "# M\xfcller\nAUTOINSTALL=yes\n",
		"crlf":      "AUTOINSTALL=\"yes\"\r\n\r\nif true; then\r\nX=1\r\nfi\r\n",
		"torn":      "AUTOINSTALL=yes\nif false; then if\n",
		"case":      "case $(uname -s) in Linux) AUTOINSTALL=yes;; esac\n",
		"casenot":   "case $(uname -s) in BSD) AUTOINSTALL=yes;; esac\n",
		"andnot":    "AUTOINSTALL=yes\n[ -d /usr ] && AUTOINSTALL=\n",
		"default":   ": ${AUTOINSTALL:=yes}\n",
		"unset":     "AUTOINSTALL=yes\nunset AUTOINSTALL\n",
		"sourced":   ". /etc/lab-autoinstall\n",
		"returns":   "return 0\nAUTOINSTALL=yes\n",
		"directive": "DKMS_DIRECTIVE_1='AUTOINSTALL=yes'\n",
		"override":  "\n",
	}
}

// testConf gives the stock hooks and ours modules whose dkms.conf is more than a list
// of values. The same ones are installed in the end. With -quick each is in one suite.
func testConf(t *testing.T, l suite) {
	kernels := l.needQuick(t, "that is built in a second")
	part := -1
	modules := slices.DeleteFunc(slices.Sorted(maps.Keys(confs())), func(string) bool {
		part++
		return !l.turns.has(part)
	})
	installed := map[string]string{}
	outputs := map[string]string{}
	for name, from := range map[string]lab.Root{"stock": l.stock, "ours": l.ours} {
		r := from.Fork(t, l.Scratch)
		env := l.copyKernel(t, r, kernels)
		r.Must(t, "dpkg -P acpi-call-dkms; echo AUTOINSTALL=yes >/etc/lab-autoinstall; echo ': ${AUTOINSTALL=yes} # \xfc' >/etc/dkms/override.conf")
		for _, module := range modules {
			l.Make(t, "mkmodule", r.Dir, module, "1.0")
			r.Must(t, "sed -i /AUTOINSTALL/d /usr/src/"+module+"-1.0/dkms.conf")
			appendTo(t, r.Path("usr/src", module+"-1.0", "dkms.conf"), confs()[module])
		}
		r.Must(t, "dpkg -i $headers1", env...)
		outputs[name], _ = r.Run(t, "dpkg -i $image1", env...)
		installed[name] = r.Must(t, "ls /lib/modules/$K/updates/dkms | sed 's/[.]ko.*//' | sort", env...)
		assert.Equal(t, "none\n", r.Must(t, "ls /var/lib/dkms-hooks/question 2>/dev/null || echo none"), "nothing is left of a question")
	}
	assert.Equal(t, installed["stock"], installed["ours"], "%s\n%s", outputs["stock"], outputs["ours"])
	assert.Equal(t, slices.Contains(modules, "latin1"), strings.Contains(installed["ours"], "latin1\n"), installed["ours"])
	assert.NotContains(t, installed["ours"], "unset\n")
}
