package oracle

import (
	"os"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// Play makes the machine of a cell, predicts, boots it and judges.
func (o *Oracle) Play(t lab.T, c Cell) Result {
	t.Helper()
	m := o.base(c.On)
	m.Root = m.Fork(t, o.Scratch)
	defer m.Drop()
	line := guestLine + " " + c.Line
	env := append([]string{"DISK=" + diskID, "LINE=" + line}, m.env...)
	if c.Starts == SystemdBoot {
		o.copySystemdBoot(t, m.Root)
	}
	if c.Prepare != "" {
		m.Must(t, "set -e\n"+c.Prepare, env...)
	}
	dir, err := os.MkdirTemp(o.Scratch, "cell.")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	if !c.Inside { // the guest does so itself
		m.Run(t, readInitramfs)
	}
	o.writeGuest(t, c, m.Root, m.env)
	o.makeDisk(t, c, m, dir)
	if c.Starts != Emulator {
		o.makeFirmware(t, c, m.Root, dir)
	}

	r := Result{Cell: c, where: "--root"}
	if c.Module != "" {
		r.others.dkms = askDKMS(t, c, m)
	}
	if c.Inside {
		r.where = "inside"
		first := o.boot(t, c, m, dir)
		said := readConsole(first)
		require.Contains(t, said, "status", "the first boot does not predict:\n%s", first)
		require.NotContains(t, said["arranged"], "rror", first)
		r.predicted = predicted(t, c, m, said["status"])
		r.others.hear(said)
		if c.On.tiny() { // what the guest removed is there again
			require.NoError(t, os.Remove(m.Path("srv", "oracle", "predict")))
			o.makeDisk(t, c, m, dir)
		}
	} else {
		r.predicted = predictOutside(t, c, m)
	}
	r.console = o.boot(t, c, m, dir)
	r.seen = judge(c, m, installedBuild(t, c, m), r.console)
	if !c.Inside {
		r.others.hear(readConsole(r.console))
	}
	t.Logf("%s", r)
	return r
}

// readInitramfs lets dkms-hooks read the initramfs, which status does not.
const readInitramfs = "dkms-hooks check --boot"
