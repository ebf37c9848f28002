package oracle

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// bootLimit ends a machine that hangs.
const bootLimit = 8 * time.Minute

// machineArgs begin every call of qemu. It emulates the processor, since a /dev/kvm may be there
// and not work.
func machineArgs(c Cell) []string {
	args := []string{"-accel", "tcg", "-m", "768", "-display", "none", "-serial", "stdio", "-monitor", "none", "-no-reboot", "-nic", "none"}
	if c.Device != "" {
		args = append(args, "-device", c.Device)
	}
	return args
}

// boot starts a machine and returns what its console shows until it ends.
func (o *Oracle) boot(t lab.T, c Cell, m machine, dir string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bootLimit)
	defer cancel()
	var cmd *exec.Cmd
	if c.Starts == Emulator {
		cmd = exec.CommandContext(ctx, "qemu-system-x86_64", append(machineArgs(c), directArgs(c, m, dir)...)...)
	} else {
		cmd = o.inFirmware(ctx, dir, m.Dir, "exec qemu-system-x86_64 "+strings.Join(append(machineArgs(c), loaderArgs(c)...), " "))
	}
	screen := &screen{stop: cancel}
	cmd.Stdout = screen
	err := cmd.Run()
	if !screen.waits {
		require.NoError(t, ctx.Err(), "the boot takes longer than %s:\n%s", bootLimit, &screen.text)
		require.NoError(t, err, "%s", &screen.text)
	}
	return strings.ReplaceAll(screen.text.String(), "\r", "")
}

// screen is what a console shows. It ends a machine whose boot loader waits for somebody, since
// it cannot start the kernel.
type screen struct {
	text  bytes.Buffer
	stop  func()
	waits bool
}

func (s *screen) Write(data []byte) (int, error) {
	n, err := s.text.Write(data)
	for _, words := range []string{"Press any key to continue", "No DEFAULT or UI configuration"} { // of GRUB, of extlinux
		if !s.waits && bytes.Contains(s.text.Bytes(), []byte(words)) {
			s.waits = true
			s.stop()
		}
	}
	return n, err
}

// directArgs let qemu itself start a kernel.
func directArgs(c Cell, m machine, dir string) []string {
	line, initramfs := guestLine, m.Path("boot", "initrd.img-"+m.kernel)
	var drive []string
	if c.On.tiny() {
		line, initramfs = "rdinit=/srv/oracle/init "+line, filepath.Join(dir, "initramfs")
	} else {
		line += " root=UUID=" + diskID
		drive = []string{"-drive", "if=virtio,format=raw,cache=unsafe,file=" + filepath.Join(dir, "disk.img")}
	}
	return append(drive, "-kernel", m.Path("boot", "vmlinuz-"+m.kernel), "-initrd", initramfs, "-append", strings.TrimSpace(line+" "+c.Line))
}

// loaderArgs let the firmware start a boot loader.
func loaderArgs(c Cell) []string {
	disk := []string{"-drive", "if=virtio,format=raw,cache=unsafe,file=disk.img"}
	if c.Starts == Extlinux {
		return disk
	}
	// Without Secure Boot the firmware writes its variables outside system management mode.
	code, machine := "OVMF_CODE_4M.fd", []string{"-machine", "q35"}
	if c.Secure {
		code, machine = "OVMF_CODE_4M.ms.fd", []string{"-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"}
	}
	return slices.Concat(machine, []string{"-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/" + code,
		"-drive", "if=pflash,unit=1,format=raw,file=vars.fd", "-drive", "if=virtio,format=raw,file=esp.img"}, disk)
}

// console are the lines that a guest printed, by their keys.
type console map[string]string

func readConsole(text string) console {
	found := console{}
	for line := range strings.Lines(text) {
		if _, said, ok := strings.Cut(line, "oracle: "); ok {
			key, words, _ := strings.Cut(strings.TrimSpace(said), " ")
			found[key] = words
		}
	}
	return found
}
