package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate"
)

// Whatever is damaged, the views agree: whether something is wrong, whether it decides about the
// next boot, and on which kernel.
func TestViewsAgree(t *testing.T) {
	draw := rand.New(rand.NewSource(1))
	count := map[int]int{}
	for range attempts(t, 100) {
		p := newPlayground(t, t.TempDir())
		p.write("etc/dkms-hooks.conf", [...]string{"", "Required: alpha\n", "Required: gone\n", "Timout: 1\n", "Ignore: alpha\n"}[draw.Intn(5)])
		p.write("etc/dkms/framework.conf", [...]string{"", "", "", "dkms_tree=$(pwd)\n"}[draw.Intn(4)])
		var how []string
		for range draw.Intn(3) {
			how = append(how, p.mutate(draw))
		}
		inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
		require.NoError(t, err)
		before := p.listing()
		requireViewsAgree(t, inv, count, strings.Join(how, ", "))
		require.Equal(t, before, p.listing(), how)
	}
	assert.Positive(t, count[StatusOK])
	assert.Positive(t, count[StatusWrong])
	assert.Positive(t, count[StatusUnknown])
}

func requireViewsAgree(t *testing.T, inv Invocation, count map[int]int, how string) {
	t.Helper()
	ctx := context.Background()
	o, err := ReadOverview(ctx, inv)
	if err != nil {
		count[StatusUnknown]++
		return
	}
	count[o.Status()]++
	boot, err := ReadBootOverview(ctx, inv)
	require.NoError(t, err, how)

	var wanted []Finding
	for _, f := range o.Findings {
		if f.Boot {
			wanted = append(wanted, f)
		}
		require.NotEmpty(t, f.Reason, how)
		require.NotEmpty(t, f.Fix, "%s: %+v", how, f)
	}
	require.ElementsMatch(t, wanted, boot.Findings, "status --boot is a part of status: %s", how)
	for _, k := range o.Kernels {
		require.Equal(t, len(o.On(k.Release)) == 0 && k.Complete, k.Complete, how)
		for _, m := range k.Modules {
			about := 0
			for _, f := range o.Findings {
				if f.Module == m.Module+"/"+m.Version && (f.Kernel == k.Release || f.Kernel == "") {
					about++
				}
			}
			if m.Missing {
				require.Positive(t, about, "%s is missing and nothing is found: %s", m.Module, how)
				require.False(t, m.State == Installed && m.Freshness != dkmsstate.Stale, "%s is installed and fits: %s", m.Module, how)
			}
		}
		one := inv
		one.Kernel = k.Release
		single, err := ReadOverview(ctx, one)
		require.NoError(t, err, how)
		require.Equal(t, o.On(k.Release), single.On(k.Release), "status of one kernel: %s", how)
	}
	var data bytes.Buffer
	require.NoError(t, json.NewEncoder(&data).Encode(o))
	var read Overview
	require.NoError(t, json.Unmarshal(data.Bytes(), &read))
	require.Len(t, read.Findings, len(o.Findings), how)

	found, _ := renewNotice(ctx, inv, withRecord(inv), "")
	text := found.text(inv)
	require.Equal(t, len(boot.Findings) > 0, text != "", "the notice: %s: %s\n%+v", how, text, boot.Findings)
}

// Each state of a machine, what is found in it, and the exit status.
func TestFindings(t *testing.T) {
	const newest, old = "6.2.0", "6.1.0"
	conf := func(text string) func(playground) {
		return func(p playground) { p.write("etc/dkms-hooks.conf", text) }
	}
	remove := func(names ...string) func(playground) {
		return func(p playground) {
			for _, name := range names {
				require.NoError(p.t, os.RemoveAll(filepath.Join(p.root, name)))
			}
		}
	}
	unbuilt := func(kernel string) func(playground) {
		return func(p playground) {
			remove("var/lib/dkms/alpha/1.0/"+kernel, "var/lib/dkms/alpha/kernel-"+kernel+"-x86_64", "lib/modules/"+kernel+"/updates/dkms/alpha.ko")(p)
			p.write("lib/modules/"+kernel+"/modules.dep", "kernel/own.ko:\nupdates/dkms/beta.ko:\n")
			p.write("lib/modules/"+kernel+"/modules.dep.bin", "updates/dkms/beta.ko:")
		}
	}
	headers := func(kernel string) func(playground) {
		return func(p playground) { p.write("lib/modules/"+kernel+"/build/include/x", "") }
	}
	recorded := func(kernel, result, text, cause string) func(playground) {
		return func(p playground) {
			inv, _ := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
			sys := withRecord(inv)
			survey, _ := sys.layout.Survey()
			s := survey.Snapshot("6.2.0", "x86_64", sys.record.Kernel("6.2.0"))
			if kernel == old {
				s = survey.Snapshot("6.1.0", "x86_64", sys.record.Kernel("6.1.0"))
			}
			p.write("var/lib/dkms-hooks/record.json", `{"version":2,"kernels":{"`+kernel+`":{"last":{"alpha/1.0":{"result":"`+result+`","text":"`+text+
				`","cause":"`+cause+
				`","when":"2026-11-24T10:00:00Z","inputs":"`+s.Inputs("alpha/1.0")+`"}}}}}`)
		}
	}
	forgotten := func(p playground) {
		remove("var/lib/dkms/alpha", "lib/modules/6.1.0/updates/dkms/alpha.ko", "lib/modules/6.2.0/updates/dkms/alpha.ko")(p)
		for _, kernel := range []string{old, newest} {
			p.write("lib/modules/"+kernel+"/modules.dep", "kernel/own.ko:\nupdates/dkms/beta.ko:\n")
			p.write("lib/modules/"+kernel+"/modules.dep.bin", "updates/dkms/beta.ko:")
		}
		p.write("var/lib/dpkg/info/alpha-dkms.list", "/usr/src/alpha-1.0/dkms.conf\n")
		status, _ := os.ReadFile(filepath.Join(p.root, "var/lib/dpkg/status"))
		p.write("var/lib/dpkg/status", string(status)+"\nPackage: alpha-dkms\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n")
	}
	copied := func(dir, line string) func(playground) { // a copy that depmod prefers
		return func(p playground) {
			p.write("lib/modules/6.2.0/"+dir+"/alpha.ko", "x")
			text := "kernel/own.ko:\nupdates/dkms/beta.ko:\n" + dir + "/alpha.ko:\n"
			p.write("lib/modules/6.2.0/modules.dep", text)
			p.write("lib/modules/6.2.0/modules.dep.bin", text)
			if line != "" {
				p.write(line+"/depmod.d/x.conf", "override alpha * "+dir+"\n")
				return
			}
			at, err := os.Open(filepath.Join(p.root, "lib/modules/6.2.0", dir))
			require.NoError(p.t, err)
			defer at.Close()
			read, err := at.Readdirnames(-1)
			require.NoError(p.t, err)
			if slices.Index(read, "alpha.ko") < slices.Index(read, "dkms") { // the last one wins, except after built-in
				p.write("etc/depmod.d/x.conf", "search built-in updates\n")
			}
		}
	}
	all := func(steps ...func(playground)) func(playground) {
		return func(p playground) {
			for _, step := range steps {
				step(p)
			}
		}
	}
	for name, c := range map[string]struct {
		make func(playground)
		// want are KIND WHERE. boot are those that decide about the next boot.
		want, boot []string
		status     int
	}{
		"well":                      {func(playground) {}, nil, nil, StatusOK},
		"forgotten":                 {forgotten, []string{"forgotten alpha/1.0"}, []string{"forgotten alpha/1.0"}, StatusWrong},
		"unbuilt, newest":           {all(headers(newest), unbuilt(newest)), []string{"missing alpha/1.0 on 6.2.0"}, []string{"missing alpha/1.0 on 6.2.0"}, StatusWrong},
		"unbuilt, old":              {all(headers(old), unbuilt(old)), []string{"missing alpha/1.0 on 6.1.0"}, nil, StatusWrong},
		"waiting for headers":       {unbuilt(newest), []string{"missing alpha/1.0 on 6.2.0"}, []string{"missing alpha/1.0 on 6.2.0"}, StatusWrong},
		"failed":                    {all(headers(newest), unbuilt(newest), recorded(newest, "failed", "make: error", "")), []string{"failed alpha/1.0 on 6.2.0"}, []string{"failed alpha/1.0 on 6.2.0"}, StatusWrong},
		"failed, and changed since": {all(headers(newest), unbuilt(newest), recorded(newest, "failed", "make: error", ""), func(p playground) { p.write("usr/src/alpha-1.0/new.c", "") }), []string{"missing alpha/1.0 on 6.2.0"}, []string{"missing alpha/1.0 on 6.2.0"}, StatusWrong},
		"excluded":                  {all(headers(newest), unbuilt(newest), recorded(newest, "skipped", "BUILD_EXCLUSIVE_KERNEL", "excluded")), nil, nil, StatusOK},
		"excluded and required":     {all(headers(newest), unbuilt(newest), recorded(newest, "skipped", "BUILD_EXCLUSIVE_KERNEL", "excluded"), conf("Required: alpha\n")), nil, nil, StatusOK},
		"ignored":                   {all(headers(newest), unbuilt(newest), conf("Ignore: alpha@6.2*\n")), nil, nil, StatusOK},
		"required, not registered":  {conf("Required: zfs\n"), []string{"required zfs"}, []string{"required zfs"}, StatusWrong},
		"required, not unasked":     {all(headers(newest), unbuilt(newest), conf("Required: alpha\n"), func(p playground) { p.write("usr/src/alpha-1.0/dkms.conf", "PACKAGE_NAME=alpha\n") }), []string{"required alpha/1.0 on 6.2.0"}, []string{"required alpha/1.0 on 6.2.0"}, StatusWrong},
		"not unasked":               {all(headers(newest), unbuilt(newest), func(p playground) { p.write("usr/src/alpha-1.0/dkms.conf", "PACKAGE_NAME=alpha\n") }), nil, nil, StatusOK},
		"a mistake":                 {conf("Timout: 2h\n"), []string{"configuration ROOT/etc/dkms-hooks.conf"}, []string{"configuration ROOT/etc/dkms-hooks.conf"}, StatusWrong},
		"source gone":               {remove("usr/src/alpha-1.0"), []string{"broken alpha/1.0"}, []string{"broken alpha/1.0"}, StatusWrong},
		"an installed file gone":    {remove("lib/modules/6.2.0/updates/dkms/alpha.ko"), []string{"broken alpha/1.0 on 6.2.0", "broken modules.dep on 6.2.0"}, []string{"broken alpha/1.0 on 6.2.0", "broken modules.dep on 6.2.0"}, StatusWrong},
		"a file of nobody":          {func(p playground) { p.write("lib/modules/6.2.0/updates/dkms/x.ko", "x") }, []string{"unowned /lib/modules/6.2.0/updates/dkms/x.ko"}, nil, StatusWrong},
		"another file is loaded":    {copied("updates", ""), []string{"shadowed alpha/1.0 on 6.2.0"}, []string{"shadowed alpha/1.0 on 6.2.0"}, StatusWrong},
		"a package's line":          {copied("extra", "usr/lib"), []string{"shadowed alpha/1.0 on 6.2.0"}, []string{"shadowed alpha/1.0 on 6.2.0"}, StatusWrong},
		"the administrator's line":  {copied("extra", "etc"), nil, nil, StatusOK},
		"blacklisted":               {func(p playground) { p.write("etc/modprobe.d/x.conf", "blacklist alpha\n") }, nil, nil, StatusOK},
		"an unreadable framework":   {func(p playground) { p.write("etc/dkms/framework.conf", "dkms_tree=$(pwd)\n") }, nil, nil, StatusUnknown},
		"no image, unbuilt":         {all(headers(old), unbuilt(old), remove("boot/vmlinuz-6.1.0", "var/lib/dpkg/info/linux-image-6.1.0.list")), nil, nil, StatusOK},
		"only signed modules": {func(p playground) {
			p.write("boot/config-6.2.0", "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n")
		}, []string{"refused alpha/1.0 on 6.2.0", "refused beta/1.0 on 6.2.0"}, []string{"refused alpha/1.0 on 6.2.0", "refused beta/1.0 on 6.2.0"}, StatusWrong},
		"only signed modules, old": {func(p playground) {
			p.write("boot/config-6.1.0", "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n")
		}, nil, nil, StatusOK},
		"signed modules, perhaps": {func(p playground) { p.write("boot/config-6.2.0", "CONFIG_MODULES=y\nCONFIG_MODULE_SIG=y\n") }, nil, nil, StatusOK},
		"an unreadable configuration": {func(p playground) {
			require.NoError(p.t, os.MkdirAll(filepath.Join(p.root, "etc/dkms-hooks.conf"), 0o755))
		}, nil, nil, StatusUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlayground(t, t.TempDir())
			c.make(p)
			inv, err := ParseSurroundings([]string{"DPKG_ROOT=" + p.root})
			require.NoError(t, err)
			o, err := ReadOverview(context.Background(), inv)
			require.NoError(t, err)
			var got, boot []string
			for _, f := range o.Findings {
				text := strings.ReplaceAll(string(f.Kind)+" "+f.Where(), p.root, "ROOT")
				got = append(got, text)
				if f.Boot {
					boot = append(boot, text)
				}
			}
			assert.ElementsMatch(t, c.want, got, "%+v", o.Findings)
			assert.ElementsMatch(t, c.boot, boot)
			assert.Equal(t, c.status, o.Status(), "%v", o.Troubles)
			requireViewsAgree(t, inv, map[int]int{}, name)
		})
	}
}
