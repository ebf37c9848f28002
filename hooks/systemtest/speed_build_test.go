//go:build integration

package systemtest

import "testing"

// buildParts measures the parts of the bound for building.
func (l *speedLab) buildParts(t *testing.T, p *speedPart) {
	t.Helper()
	const modules, rounds = 8, 3
	row := speedRow{n: modules}
	env := []string{"K=" + l.kver}
	for range rounds {
		l.prepare(t, l.stock, row)
		p.compile = append(p.compile, l.stock.measure(t, measured{env: env, args: []string{"sh", "-c",
			`for m in m001 m002 m003 m004 m005 m006 m007 m008; do dkms build $m/1.0 -k $K -j 1 || exit 1; done`}}))
		p.makes = append(p.makes, l.stock.measure(t, measured{env: env, args: []string{"sh", "-c",
			`for m in m001 m002 m003 m004 m005 m006 m007 m008; do cp -r /usr/src/$m-1.0 /tmp/$m; make -C /lib/modules/$K/build M=/tmp/$m modules || exit 1; rm -r /tmp/$m; done`}}))
		l.prepare(t, l.stock, speedRow{n: modules, k: 1, built: true})
		p.depmod = append(p.depmod, l.stock.measure(t, measured{env: env, args: []string{"depmod", "-a", "-F", "/boot/System.map-" + l.kver, l.kver}}))
	}
}

func (l *speedLab) compareEnds(t *testing.T) {}
