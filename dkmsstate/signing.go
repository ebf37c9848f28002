package dkmsstate

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// signingKey returns the two files by which dkms signs modules (framework.conf(5),
// mok_signing_key and mok_certificate; prepare_signing in dkms). dkms makes them
// when they are missing.
func (l Layout) signingKey() (key, certificate string) {
	key, certificate = "/var/lib/dkms/mok.key", "/var/lib/dkms/mok.pub"
	release, _ := regular.ReadFile(l.Path("/etc/os-release"))
	if slices.Contains(strings.Split(string(release), "\n"), "ID=ubuntu") {
		key, certificate = "/var/lib/shim-signed/mok/MOK.priv", "/var/lib/shim-signed/mok/MOK.der"
	}
	if l.Key != "" {
		key = l.Key
	}
	if l.Certificate != "" {
		certificate = l.Certificate
	}
	return key, certificate
}

// keyThere reports whether dkms need not make a key, or cannot.
func (l Layout) keyThere() bool {
	if _, err := lookPath("openssl"); err != nil {
		return true
	}
	if l.KeyUnknown {
		return false
	}
	key, certificate := l.signingKey()
	return strings.HasPrefix(key, "pkcs11:") || exists(l.Path(key)) && exists(l.Path(certificate))
}

// unsigned says why a module that a task built is not signed: dkms installs it all the
// same, and gives its reason nowhere but in its output, which is in the log. It is
// "" where the module is signed, and where nobody wants it to be: framework.conf names
// no key, and the kernel does not look at signatures or dkms does not mean to sign.
func (r *taskRun) unsigned(ctx context.Context, log string) string {
	if !r.task.Builds() {
		return ""
	}
	layout, kernel := r.machine.Layout, r.tree.Kernel
	for _, file := range layout.builtFiles(kernel, r.tree.build(r.task.Module, r.task.Arch)) {
		ko, err := layout.reader.Read(ctx, file)
		if err != nil || ko.Signed {
			continue
		}
		reason := unsignedReason(log)
		switch {
		case layout.NamesKey && reason == "":
			return fmt.Sprintf("/etc/dkms/framework.conf names how to sign, and dkms does not say why it did not (log: %s)", log)
		case layout.NamesKey || bytes.Contains(layout.kernelConfig(kernel), []byte("\nCONFIG_MODULE_SIG=y\n")):
			return reason
		}
	}
	return ""
}

// unsignedReason finds in a log why dkms did not sign, "" when it does not tell. The
// lines are those of prepare_signing, prepare_mok and do_build in dkms 3.0 to 3.2, and
// of the kernel's sign-file, whose own errors 3.0 lets through.
func unsignedReason(log string) string {
	file, err := regular.Open(log)
	if err != nil {
		return ""
	}
	defer file.Close()
	reason, failed := "", false
	lines := bufio.NewScanner(io.LimitReader(file, maxLog))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasSuffix(line, "modules won't be signed"), strings.Contains(line, "can't generate key and certificate"):
			reason = strings.TrimSuffix(line, ".")
		case strings.Contains(line, "Failed to sign module"), strings.HasPrefix(line, "At main.c:"):
			failed = true
		case strings.HasPrefix(line, "- SSL error:"):
			// - SSL error:CODE:LIBRARY::REASON: FILE:LINE, the last one tells most
			_, text, _ := strings.Cut(line, "::")
			text, _, _ = strings.Cut(text, ": ")
			reason = "sign-file failed: " + text
		case reason == "" && (strings.HasPrefix(line, "sign-file: ") || strings.HasPrefix(line, "kmodsign: ")):
			reason = line
		}
	}
	if reason == "" && failed {
		reason = "sign-file failed"
	}
	return oneLine(reason)
}
