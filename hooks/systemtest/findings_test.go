//go:build integration

package systemtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// machine is something that happened to a machine on which all was well.
type machine struct {
	name string
	// make brings the machine into the state. It gets $K.
	make string
	// module names a module that is made before, and how (mkmodule).
	module []string
	// wrong is the kind of what is wrong then, "" for nothing. elsewhere reports whether it does
	// not decide about the next boot.
	wrong     string
	elsewhere bool
	// unlike are the names of states of which one hides the other.
	unlike []string
}

// machines are the states that every command has to agree about.
func machines() []machine {
	const off = "dkms unbuild alpha/1.0 -k $K"
	return []machine{
		{name: "well", make: ":"},
		{name: "forgotten by dkms", make: "dkms remove acpi-call/$(ls /var/lib/dkms/acpi-call | grep '^[0-9]') --all", wrong: "forgotten", unlike: []string{"the package's newer version does not compile"}},
		{name: "taken off the kernel", make: off, wrong: "missing"},
		{name: "lost in a power cut", make: "rm -r /var/lib/dkms/beta/1.0/$K /var/lib/dkms/beta/kernel-$K-* /lib/modules/$K/updates/dkms/beta.ko*; depmod $K", wrong: "missing", unlike: []string{"not meant for the kernel"}},
		{name: "does not compile", module: []string{"bad", "1.0", "--broken"}, make: "dkms-hooks run postinst $K || :", wrong: "failed"},
		{name: "the package's newer version does not compile", make: newVersion("echo '#error does not compile' >>acpi_call.c") + "dpkg -i /srv/new.deb || :", wrong: "failed"},
		{name: "required and not there", make: "echo 'Required: zfs' >>/etc/dkms-hooks.conf", wrong: "required"},
		{name: "a mistake in the configuration", make: "echo 'Timout: 2h' >>/etc/dkms-hooks.conf", wrong: "configuration"},
		{name: "a mistake of a tool", make: "mkdir -p /etc/dkms-hooks.conf.d && echo oops >/etc/dkms-hooks.conf.d/tool.conf", wrong: "configuration"},
		{name: "damaged", make: "truncate -s 0 /lib/modules/$K/updates/dkms/alpha.ko*", wrong: "broken", unlike: []string{"taken off the kernel", "not wanted", "source gone"}},
		{name: "modules.dep lost", make: ": >/lib/modules/$K/modules.dep; rm /lib/modules/$K/modules.dep.bin", wrong: "broken",
			unlike: []string{"does not compile", "not meant for the kernel"}}, // the run repairs it
		{name: "source gone", make: "rm -r /usr/src/alpha-1.0", wrong: "broken", unlike: []string{"taken off the kernel", "not wanted"}},
		{name: "a hook beside ours", make: "mkdir -p /usr/share/kernel/postinst.d && cp /etc/kernel/postinst.d/dkms.stock /usr/share/kernel/postinst.d/dkms", wrong: "hook"},
		{name: "a file of nobody", make: "cp /lib/modules/$K/updates/dkms/alpha.ko* /srv/; for f in /srv/alpha.ko*; do cp $f /lib/modules/$K/updates/dkms/nobodys.ko${f#*.ko}; done; depmod $K", wrong: "unowned", elsewhere: true,
			unlike: []string{"taken off the kernel", "lost in a power cut", "does not compile", "damaged", "the package's newer version does not compile", "modules.dep lost", "source gone", "not wanted", "not meant for the kernel"}},
		{name: "an old kernel without it", make: "mkdir -p /lib/modules/5.4.0-old/kernel && touch /lib/modules/5.4.0-old/modules.order /boot/vmlinuz-5.4.0-old && depmod 5.4.0-old", wrong: "missing", elsewhere: true},
		{name: "left of a kernel that is gone", make: `mkdir -p /var/lib/dkms/beta/1.0/5.4.0-gone/x86_64/module && echo m >/var/lib/dkms/beta/1.0/5.4.0-gone/x86_64/module/beta.ko
sed -i 's/"kernels": *{/&"5.4.0-gone":{"unpacked":"seen"},/' /var/lib/dkms-hooks/record.json`, wrong: "gone", elsewhere: true},
		{name: "another file is loaded", make: "cd /lib/modules/$K; mkdir -p extra /usr/lib/depmod.d; cp updates/dkms/alpha.ko* extra; echo 'override alpha * extra' >/usr/lib/depmod.d/theirs.conf; depmod $K", wrong: "shadowed",
			unlike: []string{"taken off the kernel", "damaged", "modules.dep lost", "source gone", "not wanted", "a file of nobody"}},
		{name: "not wanted", make: off + " && echo 'Ignore: alpha' >>/etc/dkms-hooks.conf", unlike: []string{"taken off the kernel"}},
		{name: "not meant for the kernel", module: []string{"elsewhere", "1.0", "--exclusive"}, make: "dkms-hooks run postinst $K"},
	}
}

// testFindings brings machines into states, alone and in pairs. What status, check, status
// --boot, the JSON and the end of a dpkg run report is the same, and so are the exit statuses.
func testFindings(t *testing.T, l suite) {
	from := l.whole("builddeb").settled
	all := machines()
	for i, m := range all {
		t.Run(m.name, func(t *testing.T) {
			l.turns.need(t, i)
			l.agrees(t, from, m)
		})
		with := all[(i*5+3)%len(all)]
		if with.name == m.name || slices.Contains(m.unlike, with.name) || slices.Contains(with.unlike, m.name) || m.wrong == "" && with.wrong == "" {
			continue
		}
		t.Run(m.name+", and "+with.name, func(t *testing.T) {
			l.turns.need(t, i+1)
			l.agrees(t, from, m, with)
		})
	}
}

// agrees brings a machine into some states and compares what is reported of it.
func (l suite) agrees(t *testing.T, from lab.Root, states ...machine) {
	r := from.Fork(t, l.Scratch)
	defer r.Drop()
	r.Must(t, "dkms-hooks reconcile", l.Env()...)
	var wrong, boot []string
	for _, m := range states {
		if len(m.module) > 0 {
			l.Make(t, "mkmodule", append([]string{r.Dir}, m.module...)...)
		}
		r.Must(t, m.make, l.Env()...)
		if m.wrong != "" {
			wrong = append(wrong, m.wrong)
		}
		if m.wrong != "" && !m.elsewhere {
			boot = append(boot, m.wrong)
		}
	}
	data, code := r.Run(t, "dkms-hooks status --json 2>/dev/null")
	var o struct {
		Findings []struct {
			Kind, Fix, Reason string
			Boot              bool
		}
		Troubles []string
	}
	require.NoError(t, json.Unmarshal([]byte(data), &o), data)
	found, foundBoot := map[string]bool{}, map[string]bool{}
	for _, f := range o.Findings {
		found[f.Kind] = true
		if f.Boot {
			foundBoot[f.Kind] = true
		}
		assert.NotEmpty(t, f.Fix)
	}
	assert.Empty(t, o.Troubles)
	for _, kind := range wrong {
		assert.True(t, found[kind], "%s is found\n%s", kind, data)
	}
	for _, kind := range boot {
		assert.True(t, foundBoot[kind], "%s decides about the next boot\n%s", kind, data)
	}
	one := func(wrong bool) int {
		if wrong {
			return 1
		}
		return 0
	}
	assert.Equal(t, one(len(wrong) > 0), code, data)
	for command, want := range map[string]int{
		"status": one(len(wrong) > 0), "check": one(len(wrong) > 0), "status --quiet": one(len(wrong) > 0), "status --boot": one(len(boot) > 0), "remind": 0,
		"status --boot --json": one(len(boot) > 0),
	} {
		out, code := r.Run(t, "dkms-hooks "+command)
		assert.Equal(t, want, code, "%s\n%s", command, out)
	}
	out, _ := r.Run(t, "dpkg --configure -a")
	warned := strings.Contains(out, "dkms-hooks: warning: ")
	assert.Equal(t, len(boot) > 0, warned, "the end of a run of dpkg\n%s", out)
	_, code = r.Run(t, "test -s /var/lib/dkms-hooks/notice")
	assert.Equal(t, one(len(boot) == 0), code, fmt.Sprintf("the notice\n%s", out))
}
