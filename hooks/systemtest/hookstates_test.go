//go:build integration

package systemtest

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"dkms-hooks/hooks/systemtest/lab"
)

// hookState is a state of the hooks' directories in which the package is installed or found.
type hookState struct {
	name string
	// before is run before the package is installed, after when it is. dkms is run then, too,
	// and with the stock hooks alone: S is the suffix of a hook of dkms, .stock or nothing.
	before, after, dkms string
	// left are the files in addition to those of the stock hooks that stay after a purge: what
	// the administrator had in the place of a link.
	left []string
	// says is what dkms-hooks check prints about the state, nothing if it is in order.
	says string
	// warns is part of what the installation of the package prints about the state.
	warns string
	// changes: a reinstallation does not leave all as it is.
	changes bool
}

// hookStates returns the states. P is the hooks' directory of prerm.
func hookStates() []hookState {
	const script = `printf '#!/bin/sh\n# mine\n' >$P/dkms && chmod 755 $P/dkms`
	const back = `cp -p --remove-destination $P/dkms.stock $P/dkms`
	const deeper = "mkdir -p /srv/a/b/c/d && mv $P /srv/a/b/c/d/prerm.d && ln -s /srv/a/b/c/d/prerm.d $P"
	old := []string{"./prerm.d/dkms.dpkg-old"}
	return []hookState{
		{name: "nothing of note"},
		{name: "a hook of dkms was removed", warns: "the hook prerm of dkms was switched off", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "rm $P/dkms"},
		{name: "a hook of dkms was edited", warns: "/etc/kernel/prerm.d/dkms.stock has local changes", before: "echo '# mine' >>$P/dkms"},
		{name: "a hook of dkms is not executable", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "chmod -x $P/dkms"},
		{name: "a link to nothing in the place of a hook of dkms", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "ln -sf /nowhere $P/dkms"},
		{name: "a directory in the place of a hook of dkms", says: "hook off: prerm: ", before: "rm $P/dkms && mkdir $P/dkms && touch $P/dkms/a"},
		{name: "a file has the name of the diverted hook", before: "echo mine >$P/dkms.stock"},
		{name: "a directory has the name of the diverted hook", before: "mkdir $P/dkms.stock && touch $P/dkms.stock/a"},
		{name: "a local diversion", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "dpkg-divert --local --add --rename --divert $P/dkms.mine $P/dkms"},
		{name: "a local diversion, and a script in its place", says: "hook off: prerm: ", before: "dpkg-divert --local --add --rename --divert $P/dkms.mine $P/dkms && " + script},
		{name: "a local diversion to a name that runs", before: "dpkg-divert --local --add --rename --divert $P/dkms-mine $P/dkms",
			says: "prerm.d/dkms-mine: a hook of dkms runs beside"},
		{name: "the diversion of another package", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "dpkg-divert --package other --add --rename --divert $P/dkms.other $P/dkms"},
		{name: "no directory of hooks", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist", before: "rm -r /etc/kernel"},
		{name: "a directory of hooks is a link", before: "mv $P /srv/prerm.d && ln -s /srv/prerm.d $P"},
		{name: "a directory of hooks is a link to one at another depth", before: deeper},
		{name: "a directory of hooks was moved to another depth", says: "prerm.d/dkms: a link to nothing", changes: true, dkms: deeper},
		{name: "a hook that no dkms has", before: "mkdir -p /etc/kernel/postrm.d && cp $P/dkms /etc/kernel/postrm.d/"},
		{name: "a hook that no dkms has, and the notes are lost", before: "mkdir -p /etc/kernel/postrm.d && cp $P/dkms /etc/kernel/postrm.d/", after: ": >/var/lib/dkms-hooks/links"},
		{name: "a hook below /usr/share", before: "mkdir -p /usr/share/kernel/prerm.d && cp $P/dkms /usr/share/kernel/prerm.d/"},
		{name: "a hook below /usr/share that no package owns", after: "mkdir -p /usr/share/kernel/prerm.d && cp $P/dkms.stock /usr/share/kernel/prerm.d/dkms",
			says: "/usr/share/kernel/prerm.d/dkms: a hook of dkms runs beside"},
		{name: "a hook of dkms was switched off while this package was removed", says: "hook off: prerm: /etc/kernel/prerm.d/dkms does not exist",
			after: "dpkg -r dkms-hooks && chmod -x $P/dkms && dpkg -i --force-depends /srv/dkms-hooks.deb", dkms: "chmod -x $P/dkms$S"},
		{name: "a hook of dkms was switched on while this package was removed", before: "chmod -x $P/dkms",
			after: "dpkg -r dkms-hooks && chmod +x $P/dkms && dpkg -i --force-depends /srv/dkms-hooks.deb", dkms: "chmod +x $P/dkms$S"},
		{name: "a link was removed", says: "hook off: prerm: ", after: "rm $P/dkms"},
		{name: "all links were removed", says: "hook off: postrm: ", after: "cd /etc/kernel && rm postinst.d/dkms header_postinst.d/dkms prerm.d/dkms postrm.d/dkms"},
		{name: "a script in the place of a link", says: "hook off: prerm: /etc/kernel/prerm.d/dkms is a file of the administrator", after: "rm $P/dkms && " + script, left: old},
		{name: "a script in the place of the link of a hook that no dkms has", says: "hook off: postrm: /etc/kernel/postrm.d/dkms is a file of the administrator",
			after: `cd /etc/kernel/postrm.d && rm dkms && printf '#!/bin/sh\necho mine\n' >dkms && chmod +x dkms`, left: []string{"./postrm.d/dkms"}},
		{name: "a file that is not executable in the place of a link", says: "hook off: prerm: ", after: "rm $P/dkms && echo >$P/dkms", left: old},
		{name: "a link to nothing in the place of a link", says: "prerm.d/dkms: a link to nothing", after: "ln -sf /nowhere $P/dkms", left: old},
		{name: "a directory in the place of a link", says: "hook off: prerm: ", after: "rm $P/dkms && mkdir $P/dkms && touch $P/dkms/a", left: []string{"./prerm.d/dkms.dpkg-old/a"}},
		{name: "a link was renamed", after: "mv $P/dkms $P/zz-dkms"},
		{name: "a link was renamed to a name that does not run", says: "hook off: prerm: ", after: "mv $P/dkms $P/dkms.off"},
		{name: "a hook was switched off by its link", says: "hook off: prerm: /etc/kernel/prerm.d/dkms links to a hook that is not executable", after: "chmod -x $P/dkms"},
		{name: "something wrote through a link", says: "/usr/libexec/dkms-hooks/prerm: not as in the package", after: "cat $P/dkms.stock >$P/dkms", changes: true},
		{name: "a copy of a hook in the place of its link", after: "sed -i 's/^/&/' $P/dkms && [ ! -L $P/dkms ]", left: old},
		{name: "a hook of dkms came back", says: "prerm.d/dkms: another hook runs instead of that of dkms-hooks, and it calls dkms", after: back, left: old},
		{name: "the diversion was removed", says: "prerm.d/dkms: not diverted", after: "dpkg-divert --package dkms-hooks --no-rename --remove $P/dkms"},
		{name: "the diversion was removed, and the hook of dkms put back", says: "prerm.d/dkms: another hook runs instead", after: "dpkg-divert --package dkms-hooks --no-rename --remove $P/dkms && mv $P/dkms.stock $P/dkms"},
		{name: "the diversion was moved", says: "prerm.d/dkms: not diverted", after: "dpkg-divert --package dkms-hooks --no-rename --remove $P/dkms && dpkg-divert --local --no-rename --add --divert $P/dkms.stock $P/dkms && dpkg-divert --local --no-rename --remove $P/dkms"},
		{name: "the state of the package is gone", after: "rm -r /var/lib/dkms-hooks"},
		{name: "the diverted hook was removed", dkms: "rm $P/dkms$S"},
		{name: "the diverted hook was edited", dkms: "echo '# mine' >>$P/dkms$S"},
		{name: "what dpkg leaves of an edited hook", dkms: "echo old >$P/dkms$S.dpkg-old; echo dist >$P/dkms$S.dpkg-dist"},
		{name: "a directory of hooks was removed", says: "hook off: prerm: ", dkms: "rm -r $P"},
		{name: "directories that cannot be written", dkms: "chmod 555 /etc/kernel /etc/kernel/*.d"},
		{name: "dkms was removed", dkms: "dpkg -r --force-depends dkms"},
		{name: "dkms was purged", changes: true, dkms: "dpkg -P --force-depends dkms"},
		{name: "dkms was purged and installed again", dkms: "dpkg -P --force-depends dkms && dpkg -i /debs/dkms_*.deb"},
		{name: "dkms was upgraded", dkms: changedDKMS() + "dpkg -i /srv/new.deb"},
		{name: "dkms is unpacked", dkms: changedDKMS() + "dpkg --unpack /srv/new.deb"},
		{name: "dkms ceased to ship a hook", dkms: droppedHook("sed -i '\\,prerm.d,d' DEBIAN/conffiles")},
		{name: "dkms removed a hook", dkms: droppedHook("sed -i 's,.*prerm.d,remove-on-upgrade &,' DEBIAN/conffiles")},
		{name: "dkms removed a hook as a conffile of its own", changes: true, left: []string{"./prerm.d/dkms.dpkg-bak"}, dkms: droppedHook(`sed -i '\,prerm.d,d' DEBIAN/conffiles
for s in preinst postinst postrm; do [ -e DEBIAN/$s ] || printf '#!/bin/sh\nset -e\n' >DEBIAN/$s; chmod 755 DEBIAN/$s
sed -i '1adpkg-maintscript-helper rm_conffile /etc/kernel/prerm.d/dkms 99~ dkms -- "$@"' DEBIAN/$s; done`)},
	}
}

// droppedHook installs a dkms without a hook for prerm, changed by a command that runs in its
// tree.
func droppedHook(change string) string {
	return `rm -rf /srv/new && dpkg-deb -R /debs/dkms_*.deb /srv/new && cd /srv/new && rm etc/kernel/prerm.d/dkms &&
sed -i 's/^Version: .*/Version: 99/' DEBIAN/control && ` + change + ` && dpkg-deb -Zgzip -z1 -b /srv/new /srv/new.deb >/dev/null && dpkg -i /srv/new.deb`
}

// testHookStates installs, reinstalls, upgrades, removes and purges the package in each state.
// Every call of dpkg ends, what the administrator did stays, and a purge gives the hooks of
// dkms back as they were.
func testHookStates(t *testing.T, l suite) {
	own := l // the stages of the suite are made from its own roots, which stay
	own.stock, own.ours = l.stock.Fork(t, l.Scratch), l.ours.Fork(t, l.Scratch)
	own.stock.CopyIn(t, l.Deb, "dkms-hooks.deb")
	own.stock.Must(t, "cd /srv && dpkg-deb -R dkms-hooks.deb new && dpkg-deb -Znone -b new dkms-hooks.deb") // it is unpacked some hundred times
	own.stock.Must(t, repack("/srv/dkms-hooks.deb", ":")+"mv /srv/new.deb /srv/newer.deb")
	own.ours.CopyIn(t, own.stock.Path("srv/newer.deb"), "newer.deb")
	t.Run("of", func(t *testing.T) { own.playHookStates(t) })

	t.Run("disabled", func(t *testing.T) {
		s := l.whole("debian")
		r := s.settled.Fork(t, l.Scratch)
		out := r.Must(t, "echo 'Disable: prerm reconcile' >/etc/dkms-hooks.conf && dpkg -r --force-depends linux-image-$K", l.Env()...)
		for name, m := range look(t, r, l.Kver, s.modules(t)...).modules {
			assert.True(t, m.built && m.installed, "%s\n%s", name, out)
		}
		assert.Contains(t, r.Must(t, "dkms-hooks check || :"), "hook off: prerm: ")
		out = r.Must(t, "rm /etc/dkms-hooks.conf && dkms-hooks reconcile", l.Env()...)
		ending{image: configFiles, modules: gone}.holds(t, look(t, r, l.Kver, s.modules(t)...), out)
	})
}

// playHookStates plays each state in forks of the lab's two roots.
func (l suite) playHookStates(t *testing.T) {
	for i, state := range hookStates() {
		t.Run(state.name, func(t *testing.T) {
			l.turns.need(t, i)
			t.Parallel()
			env := []string{"P=/etc/kernel/prerm.d"}
			stock := l.stock.Fork(t, l.Scratch)
			stock.Must(t, state.before, env...)
			stock.Must(t, state.dkms, env...)
			r := l.ours
			if state.before != "" {
				r = l.stock
			}
			r = r.Fork(t, l.Scratch)
			r.Must(t, state.before, env...)
			if state.before != "" {
				assert.Contains(t, r.Must(t, "dpkg -i /srv/dkms-hooks.deb 2>&1"), state.warns)
			}
			r.Must(t, state.after+"\n"+state.dkms, append(env, "S=.stock")...)
			found := hooksDir(t, r)
			said := r.Must(t, "dkms-hooks check || :")
			assert.Contains(t, said, cmp.Or(state.says, "no problems found"))
			if state.says == "" {
				assert.NotContains(t, said, "hook")
			}

			if state.says != "" {
				l.followAdvice(t, r.Fork(t, l.Scratch), "cat")
				l.followAdvice(t, r.Fork(t, l.Scratch), "tac")
			}

			if !state.changes {
				for _, do := range []string{"dpkg -i --force-depends /srv/dkms-hooks.deb", "dpkg -i --force-depends /srv/newer.deb",
					"dpkg -r dkms-hooks && dpkg -i --force-depends --force-downgrade /srv/dkms-hooks.deb"} {
					out := r.Must(t, do)
					assert.Equal(t, found, hooksDir(t, r), out)
					if strings.HasPrefix(state.says, "hook off") { // what is wrong may be repaired
						assert.Contains(t, r.Must(t, "dkms-hooks check || :"), state.says, out)
					}
				}
			}
			out := r.Must(t, "dpkg -P dkms-hooks")
			l.checkPurged(t, r, state, hooksDir(t, stock), out)
		})
	}
}

// followAdvice runs the commands that dkms-hooks check prints, in their order or in the opposite
// one. All hooks run then, and nothing that was there is lost.
func (l suite) followAdvice(t *testing.T, r lab.Root, order string) {
	t.Helper()
	const sums = "find -L /etc/kernel -type f -exec sha256sum {} + 2>/dev/null | cut -d ' ' -f 1 | sort -u"
	before := strings.Fields(r.Must(t, sums))
	var out string
	for range 2 { // what is in the way of a diversion is moved first
		out += r.Must(t, `dkms-hooks check | sed -n 's/^  fix: //p; s/.*; to switch it on: //p' | `+order+` >/srv/advice
sed -i 's,apt reinstall dkms-hooks,dpkg -i /srv/dkms-hooks.deb,' /srv/advice; sh -ex /srv/advice 2>&1`)
	}
	assert.NotContains(t, r.Must(t, "dkms-hooks check || :"), "hook", out)
	assert.Subset(t, strings.Fields(r.Must(t, sums)), before, out)
}

// checkPurged checks that nothing of the package is left, and the hooks are those of a root that
// never had it.
func (l suite) checkPurged(t *testing.T, r lab.Root, state hookState, stock []string, out string) {
	t.Helper()
	hooks := slices.DeleteFunc(hooksDir(t, r), func(line string) bool {
		return slices.ContainsFunc(state.left, func(left string) bool { return strings.HasPrefix(line, left+" ") })
	})
	assert.Equal(t, stock, hooks, out)
	found := r.Must(t, "find / -xdev -name '*dkms-hooks*' -not -path '/proc/*' -not -path '/srv/*'; dpkg-divert --list | grep dkms-hooks || :")
	assert.Empty(t, found, out)
	dangling := r.Must(t, "find /etc/kernel -lname '*dkms-hooks*' 2>/dev/null || :")
	assert.Empty(t, dangling, out)
}
