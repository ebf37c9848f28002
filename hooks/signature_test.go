package hooks

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/signing"
)

func TestSignatureFix(t *testing.T) {
	m := dkmsstate.Module{Name: "m", Version: "1.0"}
	const again = "dkms build --force m/1.0 -k 6.1.0 && dkms install --force m/1.0 -k 6.1.0"
	for name, c := range map[string]struct {
		answer signing.Answer
		never  bool
		want   string
	}{
		"not signed":                  {signing.Answer{Cause: signing.NotSigned}, false, "find why dkms did not sign it (dkms-hooks log 6.1.0 m), then run: " + again},
		"not signed, nor meant to":    {signing.Answer{Cause: signing.NotSigned}, true, "let dkms sign it (try_sign_modules in /etc/dkms/framework.conf), then run: " + again},
		"not enrolled":                {signing.Answer{Cause: signing.NotEnrolled, ByDKMS: true}, false, "mokutil --import /var/lib/dkms/mok.pub, then reboot and confirm it"},
		"not enrolled, another key":   {signing.Answer{Cause: signing.NotEnrolled}, false, "sign it with the key of dkms: " + again},
		"enrolled and not trusted":    {signing.Answer{Cause: signing.NotTrusted, ByDKMS: true}, false, "sign it with a key that this kernel has"},
		"changed after it was signed": {signing.Answer{Cause: signing.Changed, ByDKMS: true}, false, "sign it with the key of dkms: " + again},
	} {
		l := dkmsstate.DefaultLayout("/")
		l.NeverSigns = c.never
		k := kernelAssessor{assessor: &assessor{}, s: dkmsstate.Snapshot{Layout: l, Kernel: "6.1.0"}}
		assert.Equal(t, c.want, k.signatureFix(m, c.answer), name)
	}
}

// A key is enrolled on the machine that the system of another root is for.
func TestEnrolmentElsewhere(t *testing.T) {
	assert.Equal(t, "enrol /var/lib/dkms/mok.pub on the machine that starts this system", enrolAdvice(Invocation{Root: "/image"}, "/var/lib/dkms/mok.pub"))
}

// The notice is read at login, inside the root, and what remind prints outside of it.
func TestNoticeElsewhere(t *testing.T) {
	n := notice{[]string{"m will not load"}, []string{"chroot /image dkms install m/1.0"}}
	elsewhere := Invocation{Root: "/image"}
	assert.Equal(t, "dkms-hooks: warning: m will not load\ndkms-hooks:   next: dkms-hooks status --boot\n", n.inside(elsewhere))
	assert.Equal(t, "dkms-hooks: warning: m will not load\ndkms-hooks:   fix: chroot /image dkms install m/1.0\ndkms-hooks:   next: dkms-hooks status --boot --root /image\n", n.text(elsewhere))
	assert.Equal(t, n.text(Invocation{Root: "/"}), n.inside(Invocation{Root: "/"}))
}

// The same thing to be done is printed once, however many modules it is for.
func TestSignatureFixes(t *testing.T) {
	findings := []Finding{{Kind: Refused, Fix: "a"}, {Kind: Stale, Fix: "b"}, {Kind: Refused, Fix: "a"}, {Kind: Refused, Fix: "c"}}
	assert.Equal(t, []string{"a", "c"}, signatureFixes(findings))
}

// A kernel that has no module has the same record after it was read: an empty map would be written
// again by each run.
func TestSignaturesOfNoModules(t *testing.T) {
	p := newPlayground(t, t.TempDir())
	require.NoError(t, os.RemoveAll(filepath.Join(p.root, "lib/modules/6.1.0/updates")))
	inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
	require.NoError(t, err)
	inv.Kernel = "6.1.0"
	r := newRun(inv, readSystem(inv), Autoinstall, io.Discard)
	r.after = r.machine.Layout.EmptySnapshot("6.1.0")
	assert.Nil(t, r.signatures(t.Context(), nil))
}
