package signing

import (
	"bytes"
	"crypto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/kmod"
)

// message returns the signature of a module of testdata.
func message(t *testing.T, name string) kmod.Signature {
	t.Helper()
	signature, err := (*kmod.Reader)(nil).Signature(t.Context(), filepath.Join("testdata", name), digestOf)
	require.NoError(t, err)
	return signature
}

func TestMessage(t *testing.T) {
	mok, other := certificateOf(t, fixture(t, "mok.der")), certificateOf(t, fixture(t, "other.der"))
	assert.Equal(t, "mok key", mok.Name)
	assert.Len(t, mok.KeyID, 20)
	for name, c := range map[string]struct {
		hash  crypto.Hash
		by    bool
		fits  bool
		known bool
	}{
		"mok.ko":    {crypto.SHA256, true, true, true},
		"mok512.ko": {crypto.SHA512, true, true, true},
		"mokid.ko":  {crypto.SHA256, true, true, true},
		"twice.ko":  {crypto.SHA256, true, true, true},
		"other.ko":  {crypto.SHA256, false, false, true},
		"ec.ko":     {crypto.SHA256, false, false, false},
	} {
		signature := message(t, name)
		m, err := ParseMessage(signature.Message)
		require.NoError(t, err, name)
		assert.Equal(t, c.hash, m.hash, name)
		assert.Equal(t, c.by, m.By(mok), name)
		fits, known := m.Fits(mok, signature.Digest)
		assert.Equal(t, [2]bool{c.fits, c.known}, [2]bool{fits, known}, name)
		if fits {
			fits, _ = m.Fits(other, signature.Digest)
			assert.False(t, fits, name)
			fits, known = m.Fits(mok, signature.Digest[1:])
			assert.False(t, fits || known, name)
		}
	}
	assert.Equal(t, kmod.Signature{}, message(t, "unsigned.ko"))
}

func TestParameters(t *testing.T) {
	for line, want := range map[string]parameters{
		"":                                    {},
		"ro quiet":                            {},
		"module.sig_enforce":                  {enforce: true},
		"module.sig-enforce=Y":                {enforce: true},
		"module.sig_enforce=on":               {enforce: true},
		"module.sig_enforce=off":              {},
		"module.sig_enforce=0":                {},
		"a=\"b module.sig_enforce=1\"":        {},
		"\"module.sig_enforce=1\"":            {enforce: true},
		"x -- module.sig_enforce=1":           {},
		"lockdown=integrity":                  {lockdown: true},
		"lockdown=confidentiality":            {lockdown: true},
		"lockdown=none":                       {},
		"noefi":                               {keysDoubt: "noefi"},
		"efi=debug,noruntime":                 {keysDoubt: "efi"},
		"efi=debug":                           {},
		"loadpin.enforce=1 ima_policy=tcb ro": {doubt: "loadpin.enforce"},
	} {
		assert.Equal(t, want, parseParameters(line), line)
	}
}

func TestDecides(t *testing.T) {
	for args, want := range map[string]bool{
		"": false, "quiet vt.handoff=7": false, "module.sig_enforce=0": false, "ro module.sig-enforce": true, "lockdown=integrity": true,
		"ima_policy=tcb": true, "efi=noruntime": true, "--": true, `a="b`: true,
	} {
		assert.Equal(t, want, Decides(strings.Fields(args)), args)
	}
}

func TestBuilder(t *testing.T) {
	for version, want := range map[string]builder{
		debianVersion: {true, true},
		"6.12.118+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 6.1.20-1 (2023)":             {true, false},
		"6.12.118+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 5.10.20-1 (2023)":            {true, false},
		"6.12.118+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 7.0.1-1 (2027)":              {true, true},
		"6.12.118+deb13-amd64 (buildd@lcy02-amd64-080) (x86_64-linux-gnu-gcc) #31~24.04.1-Ubuntu SMP":     {true, false},
		"6.12.118+deb13-amd64 (jenkins@warp.pop-os.org) (x86_64-linux-gnu-gcc) #202405~22.04 SMP PREEMPT": {},
		"6.12.118+deb13-amd64 (root@host) #1 SMP Debian 6.12.118-1":                                       {},
		"6.12.1 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.12.118-1 (2026-11-20)":   {},
		"6.12.118+deb13-amd64": {},
	} {
		b, _ := parseBuilder(version, release)
		assert.Equal(t, want, b, version)
	}
}

func FuzzParse(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	require.NoError(f, err)
	for _, e := range entries {
		if data, err := os.ReadFile(filepath.Join("testdata", e.Name())); err == nil {
			f.Add(data)
			f.Add([]byte(list(data)))
		}
	}
	f.Add([]byte(image(debianVersion, []byte("a table"))))
	f.Add([]byte(debianConfig))
	f.Add([]byte("ro module.sig_enforce=1 -- x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := ParseCertificate(data); err == nil {
			assert.LessOrEqual(t, len(c.Raw), len(data)) // PEM is longer
			c.hasDigest(data)
		}
		entries, err := parseSignatureLists(data)
		if err == nil {
			total := 0
			for _, e := range entries {
				total += len(e.data)
			}
			assert.LessOrEqual(t, total, len(data))
		}
		if m, err := ParseMessage(data); err == nil {
			m.By(Certificate{})
			_ = m.Signer()
		}
		parseParameters(string(data))
		parseOptions(data)
		parseBuilder(string(data), release)
		imageVersion(bytes.NewReader(data))
		imageCertificates(bytes.NewReader(data))
	})
}

// Whatever one byte of a signed module is changed to, it is never accepted.
func TestChangedByte(t *testing.T) {
	mok := certificateOf(t, fixture(t, "mok.der"))
	data := fixture(t, "mok.ko")
	path := filepath.Join(t.TempDir(), "m.ko")
	for i := range data {
		changed := slices.Clone(data)
		changed[i] ^= 0x11
		require.NoError(t, os.WriteFile(path, changed, 0o644))
		signature, err := (*kmod.Reader)(nil).Signature(t.Context(), path, digestOf)
		if err != nil || signature.Message == nil {
			continue
		}
		m, err := ParseMessage(signature.Message)
		if err != nil || !m.By(mok) {
			continue
		}
		fits, _ := m.Fits(mok, signature.Digest)
		// The version numbers and the algorithms that are named twice are not signed.
		assert.False(t, fits && i < len(fixture(t, "unsigned.ko")), i)
	}
}
