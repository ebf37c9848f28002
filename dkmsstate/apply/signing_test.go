package apply

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/dkmstest"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/kmod/kmodtest"
	"dkms-hooks/dkmsstate/plan"
	"dkms-hooks/dkmsstate/signing"
)

func TestUnsignedReason(t *testing.T) {
	const head = "Sign command: /lib/modules/6.1/build/scripts/sign-file\nSigning key: /root/k.pem\nPublic certificate (MOK): /root/k.der\n"
	for name, c := range map[string]struct{ log, want string }{
		"nothing": {"", ""},
		"signed":  {head + "Signing module /var/lib/dkms/a/1.0/build/a.ko\nInstalling a.ko\n", ""},
		"3.2, no openssl": {head + "Certificate or key are missing, generating self signed certificate for MOK...\n" +
			"openssl not found, can't generate key and certificate.\n", "openssl not found, can't generate key and certificate"},
		"3.0 and 3.2, no key": {head + "Key file /root/k.pem not found and can't be generated, modules won't be signed\n",
			"Key file /root/k.pem not found and can't be generated, modules won't be signed"},
		"3.0, no sign-file": {"Sign command: /x/sign-file\nBinary /x/sign-file not found, modules won't be signed\n",
			"Binary /x/sign-file not found, modules won't be signed"},
		"3.2, no passphrase": {head + "Signing module /var/lib/dkms/a/1.0/build/a.ko\nWarning: Failed to sign module '/var/lib/dkms/a/1.0/build/a.ko'!\n" +
			"At main.c:174:\n- SSL error:1C80009F:Provider routines::unable to get passphrase: ../providers/decode_epki2pki.c:136\n" +
			"- SSL error:04800068:PEM routines::bad password read: ../crypto/pem/pem_pkey.c:159\nsign-file: /root/k.pem\n",
			"sign-file failed: bad password read"},
		"3.0, its errors alone": {head + "Signing module:\n - /x/a.ko\nAt main.c:167:\n", "sign-file failed"},
		"another program":       {head + "Warning: Failed to sign module 'a.ko'!\nkmodsign: no such key\n", "kmodsign: no such key"},
	} {
		t.Run(name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			require.NoError(t, os.WriteFile(log, []byte(c.log+"make: nothing\n"), 0o644))
			assert.Equal(t, c.want, signing.UnsignedReason(log))
		})
	}
	assert.Empty(t, signing.UnsignedReason("/nonexistent"))
}

// An unsigned module is reported if a key is named, or if the kernel checks signatures and dkms
// meant to sign.
func TestUnsigned(t *testing.T) {
	const won = "Binary /x not found, modules won't be signed\n"
	for name, c := range map[string]struct {
		config, log          string
		named, never, signed bool
		want, contains       string
	}{
		"the kernel looks":                   {config: "CONFIG_MODULE_SIG=y\n", log: won, want: "Binary /x not found, modules won't be signed"},
		"the kernel looks, dkms never signs": {config: "CONFIG_MODULE_SIG=y\n"},
		"nobody cares":                       {config: "CONFIG_MODULES=y\n", log: won},
		"a key is named":                     {config: "CONFIG_MODULES=y\n", log: won, named: true, want: "Binary /x not found, modules won't be signed"},
		"a key is named, no reason":          {named: true, contains: "dkms does not report why"},
		"it is never to be signed":           {config: "CONFIG_MODULE_SIG=y\n", log: won, named: true, never: true},
		"it is signed":                       {config: "CONFIG_MODULE_SIG=y\n", log: won, named: true, signed: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := dkmsstate.DefaultLayout(t.TempDir())
			l.NamesKey, l.NeverSigns = c.named, c.never
			m := dkmsstate.Module{Name: "a", Version: "1.0"}
			task := plan.Task{Module: m, Arch: "x86_64", Steps: []plan.Step{{Op: plan.OpBuild}}}
			ko := kmodtest.File(kmodtest.Module{Vermagic: dkmstest.Magic}, "a")
			if c.signed {
				ko = append(ko, kmod.SignatureMark...)
			}
			for path, data := range map[string][]byte{
				filepath.Join(l.BuildDir(m, "6.1", "x86_64"), "module", "a.ko"): ko,
				filepath.Join(l.HeadersDir("6.1"), "include/config/auto.conf"):  []byte(c.config),
				l.Path("/log"): []byte(c.log),
			} {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, data, 0o644))
			}
			r := &taskRun{machine: Machine{Layout: l}, tree: Tree{Layout: l, Kernel: "6.1"}, task: task}
			got := r.unsigned(context.Background(), l.Path("/log"))
			if c.contains != "" {
				assert.Contains(t, got, c.contains)
				return
			}
			assert.Equal(t, c.want, got)
		})
	}
}
