//go:build integration

package systemtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// testForgotten lets the stock hooks forget a module, as dkms 3.0 does, and finds it.
func testForgotten(t *testing.T, l suite) {
	r := l.whole("builddeb").settled.Fork(t, l.Scratch)
	env := l.Env()
	r.Must(t, "dkms remove acpi-call/$(ls /var/lib/dkms/acpi-call | grep ^[0-9]) --all && mkdir /usr/src/mine-1 && echo 'PACKAGE_NAME=mine' >/usr/src/mine-1/dkms.conf", env...)
	out := r.Must(t, "dpkg -i $image1 && dkms-hooks reconcile", env...)
	for _, module := range statusOf(t, r).Registered {
		assert.NotContains(t, module, "acpi-call", "it is never brought back unasked\n%s", out)
	}
	out, code := r.Run(t, "dkms-hooks check")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "acpi-call/")
	assert.NotContains(t, out, "mine/", "what no package brought may be there for another reason")
	out = r.Must(t, "dkms-hooks check --repair", env...)
	ending{image: installed, modules: present}.holds(t, look(t, r, l.Kver, goodModules()...), out)
	r.Must(t, "dkms-hooks check")
}
