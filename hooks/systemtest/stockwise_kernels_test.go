//go:build integration

package systemtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// retitle is a shell function: retitle DEB FROM TO OUT makes a kernel's package of another
// release. Both are of one length, so that what is compiled bears the new one as well.
const retitle = `retitle() {
	rm -rf /srv/tree && dpkg-deb -R "$1" /srv/tree && from=$(printf %s "$2" | sed 's/\./\\./g') || return
	grep -rlZF -- "$2" /srv/tree | xargs -0r sed -i "s/$from/$3/g" || return
	find /srv/tree -type l -lname "*$2*" | while read -r link; do ln -sfn "$(readlink "$link" | sed "s/$from/$3/g")" "$link"; done
	find /srv/tree -depth -name "*$2*" | while read -r path; do mv "$path" "${path%/*}/$(printf %s "${path##*/}" | sed "s/$from/$3/g")"; done
	dpkg-deb --root-owner-group -Znone -b /srv/tree "$4" >/dev/null && rm -rf /srv/tree
}
`

// makePackages puts the packages of three kernels into /srv/kernels: K in up to three
// revisions, OTHER and THIRD, and NOVERS without MODVERSIONS. They are real ones that are built for
// in a second, where there are any, else the suite's own.
func (s *stockwise) makePackages(t *testing.T, base lab.Root) {
	t.Helper()
	require.NoError(t, os.MkdirAll(base.Path("srv", "kernels"), 0o755))
	k, ok := s.quick(t)
	if !ok {
		s.suitePackages(t, base)
		return
	}
	require.NoError(t, os.CopyFS(base.Path("srv", "kernels"), os.DirFS(s.kernels)))
	last := len(k.kver) - 1
	s.env = []string{"K=" + k.kver, "OTHER=" + k.kver[:last] + "6", "THIRD=" + k.kver[:last] + "7"}
	deb := func(part, kver, revision string) string {
		return "/srv/kernels/" + filepath.Base(realKernel{kver: kver, upstream: k.upstream}.in(part, revision))
	}
	for _, part := range []string{"image", "headers"} {
		for _, revision := range k.revisions {
			s.env = append(s.env, part+revision+"="+deb(part, k.kver, revision))
		}
		for name, kver := range map[string]string{"other": k.kver[:last] + "6", "third": k.kver[:last] + "7"} {
			base.Must(t, retitle+`retitle "$FROM" "$A" "$B" "$TO"`, "FROM="+deb(part, k.kver, "1"), "A="+k.kver, "B="+kver, "TO="+deb(part, kver, "1"))
			s.env = append(s.env, name+part+"="+deb(part, kver, "1"))
		}
	}
	for _, other := range findKernels(t, s.kernels) {
		if other.kver != k.kver {
			s.env = append(s.env, "NOVERS="+other.kver, "noversimage="+deb("image", other.kver, "1"), "noversheaders="+deb("headers", other.kver, "1"))
		}
	}
}

// suitePackages takes the kernels that the suite's own headers make.
func (s *stockwise) suitePackages(t *testing.T, base lab.Root) {
	t.Helper()
	workshop := s.suite.stock.Fork(t, s.Scratch)
	third := s.Kver + "-third"
	s.MakeKernel(t, workshop, "builddeb", third, "1")
	s.WithKernels(t, base, "builddeb")
	s.env = append(s.suite.Env(), "THIRD="+third)
	for _, part := range []string{"image", "headers"} {
		s.env = append(s.env, "third"+part+"=/srv/kernels/linux-"+part+"-"+third+"_1_amd64.deb")
	}
}

// begin runs a script of the prelude, after which alpha has to be on the kernels there.
func (s *stockwise) begin(t *testing.T, r lab.Root, do string) {
	t.Helper()
	out := r.Must(t, lab.Prelude+stockwisePrelude()+do+"\n"+stockwiseJudge()+"has alpha", s.env...)
	require.Empty(t, judged(out).wrong, strings.TrimSpace(out))
}
