package signing

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/regular"
)

// Machine is what decides on one machine which modules its kernels take.
type Machine struct {
	layout   dkmsstate.Layout
	host     Host
	firmware func() firmware
	// atHand returns the certificates of which a signature can be checked: that of dkms, and those
	// of the firmware.
	atHand func() []Certificate
	// own returns the certificate of the key with which dkms signs modules.
	own func() (Certificate, error)
}

// NewMachine returns a Machine. It reads nothing yet. host is the zero value if the layout is not
// that of the booted system: the keys of the firmware concern another one then.
func NewMachine(l dkmsstate.Layout, host Host) *Machine {
	m := &Machine{layout: l, host: host}
	m.firmware = sync.OnceValue(func() firmware { return readFirmware(host) })
	m.own = sync.OnceValues(func() (Certificate, error) { return ownCertificate(l) })
	m.atHand = sync.OnceValue(func() []Certificate {
		f := m.firmware()
		all := certificates(f.enrolled, f.database, f.requested)
		if c, err := m.own(); err == nil {
			all = append(all, c)
		}
		return all
	})
	return m
}

func ownCertificate(l dkmsstate.Layout) (Certificate, error) {
	_, path := Key(l)
	data, err := regular.ReadFile(l.Path(path))
	if err != nil {
		return Certificate{}, err
	}
	return ParseCertificate(data)
}

// Kernel is what decides which modules a kernel takes.
type Kernel struct {
	m       *Machine
	release dkmsstate.Release
	// line is the command line that the kernel gets, "" if it is not known.
	line string
	// options are those of its configuration. trouble is why they are not known.
	options options
	trouble error
	// built describes who built it.
	built builder
	// enforcement is whether it rejects modules. signers are those of a sample of its own modules.
	enforcement func() enforcement
	signers     func() []Message
	// doubt returns what else may make the kernel refuse a module, "" if there is nothing.
	doubt func() string
}

// Line is the command line of a kernel, as far as the configuration of a boot loader tells it.
type Line struct {
	// Text is all of it, "" if it is not known.
	Text string
	// Chosen reports whether a boot loader is configured to start the kernel. What is not known of
	// its line is then not what the running kernel has.
	Chosen bool
}

// Kernel returns a kernel of the machine, with the command line that it will get. The running
// kernel gets again the one that it has, if no boot loader is known to give it another one.
func (m *Machine) Kernel(ctx context.Context, release dkmsstate.Release, line Line) *Kernel {
	k := &Kernel{m: m, release: release, line: strings.TrimSpace(line.Text)}
	if k.line == "" && !line.Chosen && release == m.layout.Running {
		k.line = m.host.commandLine()
	}
	k.options, k.trouble = readOptions(m.layout, release, m.host)
	k.built = readBuilder(m.layout, release, m.host)
	k.enforcement = sync.OnceValue(k.enforced)
	k.doubt = sync.OnceValue(k.otherwise)
	k.signers = sync.OnceValue(func() []Message { return k.ownSigners(ctx) })
	return k
}

// Blacklists reports whether the command line tells the kernel to refuse a module, by its name as
// lsmod(8) prints it (kernel/module/main.c, blacklisted: the names are compared as they are).
func (k *Kernel) Blacklists(module string) bool {
	return slices.Contains(strings.Split(k.parameters().blacklist, ","), module)
}

// LoadsNone reports whether the command line tells the kernel to load no module once the first
// process runs.
func (k *Kernel) LoadsNone() bool { return k.parameters().disabled }

// ownSigners returns the signatures of a few of the kernel's own modules, small ones from the whole
// of modules.order. Modules that are not signed count as nothing.
func (k *Kernel) ownSigners(ctx context.Context) []Message {
	const candidates, sample, small = 24, 3, 64 << 10
	dir := k.m.layout.KernelDir(k.release)
	order, _ := regular.ReadFile(filepath.Join(dir, "modules.order"))
	paths := strings.Fields(string(order))
	var signers []Message
	for i, step := 0, max(1, len(paths)/candidates); i < len(paths) && len(signers) < sample; i += step {
		for _, name := range kmod.FileNames(kmod.TrimSuffix(filepath.Base(paths[i]))) {
			file := filepath.Join(dir, filepath.Dir(paths[i]), name)
			if info, err := os.Stat(file); err != nil || info.Size() > small {
				continue
			}
			signature, err := k.m.layout.Reader.Signature(ctx, file, noDigest)
			if err != nil || signature.Message == nil {
				continue
			}
			if m, err := ParseMessage(signature.Message); err == nil {
				signers = append(signers, m)
			}
		}
	}
	return signers
}

// ownSigner reports whether a message is by the key with which the kernel's own modules are signed,
// all of them that were read. It is unknown if none of them is signed, or if they differ.
func (k *Kernel) ownSigner(m Message) state {
	signers := k.signers()
	if len(signers) < 2 || slices.ContainsFunc(signers, func(s Message) bool { return !s.SameSigner(signers[0]) }) {
		return unknown
	}
	if m.SameSigner(signers[0]) {
		return yes
	}
	return no
}
