//go:build integration

package systemtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dkms-hooks/hooks/systemtest/lab"
)

// fetchSplit downloads Debian's kernel of several packages into a root, and makes a higher
// revision of them. BACKPORTS names the release that has them, "" for that of the root. What the
// headers need is in /srv/split/needs, the release of the kernel in /srv/split/release.
const fetchSplit = `set -e
mirror=$(sed -n 's/^deb \(\[.*\] \)*\([^ ]*\) .*/\2/p' /etc/apt/sources.list | head -n 1)
[ -z "$BACKPORTS" ] || echo "deb $mirror $BACKPORTS main" >/etc/apt/sources.list.d/backports.list
apt-get -qq update
from=${BACKPORTS:+-t $BACKPORTS}
image=$(apt-cache $from depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
kver=${image#linux-image-}
apt-get -qq clean
apt-get -qq -y -d install --no-install-recommends $from "$image" "linux-headers-$kver"
mkdir -p /srv/split/needs
for deb in /var/cache/apt/archives/*.deb; do
	name=$(dpkg-deb -f "$deb" Package)
	case $name in
		*-"$kver") ;;
		*) cp "$deb" /srv/split/needs; continue ;;
	esac
	cp "$deb" "/srv/split/${name}_1_amd64.deb"
	version=$(dpkg-deb -f "$deb" Version)
	dpkg-deb -R "$deb" /srv/tree
	sed -i "s/\(-$kver\) (= $version)/\1 (= $version+2)/g; s/^Version: .*/&+2/" /srv/tree/DEBIAN/control
	dpkg-deb -Znone -b /srv/tree "/srv/split/${name}_2_amd64.deb" >/dev/null
	rm -r /srv/tree
done
echo "$kver" >/srv/split/release`

// splitRows are the transitions that are played, of those that apply.
func splitRows() []string {
	return []string{
		"headers installed, then the image", "image installed, then the headers", "apt install", "image reinstalled",
		"image and headers reinstalled", "apt reinstall", "headers removed", "upgraded to a new revision", "reinstalled while headers are gone",
		"dpkg -r", "dpkg -P", "apt remove", "apt purge", "image purged, headers stay", "removed, installed again", "removal aborted by a later hook",
		"dpkg killed in prerm, then removed",
	}
}

// testSplit plays transitions with Debian's own kernel of several packages, as it is in the
// archive. It needs the archive, and a suite that has such a kernel.
func testSplit(t *testing.T, l suite) {
	if l.callersDir == "" {
		t.Skip("only with -callers: it downloads a whole kernel")
	}
	backports, ok := map[string]string{"trixie": "trixie-backports", "sid": ""}[l.Name]
	if !ok {
		t.Skip("the suite has no kernel of several packages")
	}
	out := filepath.Join(l.Roots, l.Name+"-kernels", "split")
	if _, err := os.Stat(filepath.Join(out, "release")); err != nil {
		workshop := l.Base().Fork(t, l.Scratch)
		if text, exit := workshop.Run(t, fetchSplit, "BACKPORTS="+backports); exit != 0 {
			t.Skipf("the kernel cannot be downloaded: %s", text)
		}
		require.NoError(t, os.CopyFS(out, os.DirFS(workshop.Path("srv", "split"))))
	}
	kver, err := os.ReadFile(filepath.Join(out, "release"))
	require.NoError(t, err)
	l.Kver = strings.TrimSpace(string(kver))
	l.playSplit(t, l.splitCaller(t, out))
}

// splitCaller names the packages of the kernel in a directory. There is no second kernel.
func (l suite) splitCaller(t *testing.T, dir string) caller {
	t.Helper()
	c := caller{style: "split", headers: []string{"linux-headers-KVER"}, image: []string{"linux-image-KVER"}, single: true}
	debs, err := filepath.Glob(filepath.Join(dir, "*_1_amd64.deb"))
	require.NoError(t, err)
	for _, deb := range debs {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(deb), "_1_amd64.deb"), l.Kver, "KVER")
		if !slices.Contains(append(c.headers, c.image...), name) {
			c.image = append(c.image, name)
		}
	}
	require.Greater(t, len(c.image), 1, "a kernel of several packages")
	return c
}

func (l suite) playSplit(t *testing.T, c caller) {
	t.Helper()
	rows, err := readRows("transitions")
	require.NoError(t, err)
	m := l.newMatrix(t, &matrix{made: "callers", title: "What becomes of the modules of Debian's own kernel of several packages",
		dir: filepath.Join(l.callersDir, "split"), styles: []string{c.style}})
	ours, stock := l.splitStage(t, l.ours, c), stage{}
	if l.withStock {
		stock = l.splitStage(t, l.stock, c)
	}
	for _, r := range rows {
		if adapted, applies := c.adapt(r); applies && slices.Contains(splitRows(), r.name) {
			t.Run(r.name, func(t *testing.T) { m.play(t, c.style, adapted, stock, ours) })
		}
	}
	m.write(t)
}

// splitStage installs the kernel in a root that has what its packages need. Their initramfs is
// left out, which takes longer than all else.
func (l suite) splitStage(t *testing.T, from lab.Root, c caller) stage {
	t.Helper()
	from = from.Fork(t, l.Scratch)
	from.Must(t, oneModule)
	require.NoError(t, os.CopyFS(from.Path("srv", "needs"), os.DirFS(filepath.Join(l.Roots, l.Name+"-kernels", c.style, "needs"))))
	from.Must(t, "dpkg -i --force-depends /srv/needs/*.deb && rm -rf /srv/needs /etc/kernel/*.d/dracut /etc/kernel/*.d/initramfs-tools")
	return l.settledBy(t, from, c)
}
