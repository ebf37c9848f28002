package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/shvars"
)

// What the texts of dkms have in common, by version.
const (
	dkms28  = "[ -r /etc/lsb-release ]\noverride_dest_module_location\n"                                                                            // to 2.8.7
	dkms288 = "/etc/os-release\n[[ ${#ID_LIKE[@]} ]] && echo\n/etc/lsb-release\noverride_dest_module_location\n"                                    // to 3.0.1
	dkms30  = "/etc/os-release\n[[ ${#ID_LIKE[@]} != 0 ]] && echo\n/etc/lsb-release\noverride_dest_module_location\n"                               // to 3.0.11
	dkms31  = "/etc/os-release /usr/lib/os-release\n[[ \"$ID\" = \"ubuntu\" ]]\n[[ ${#ID_LIKE[@]} != 0 ]] && echo\noverride_dest_module_location\n" // from 3.0.13
)

func TestDestination(t *testing.T) {
	const lsb = "/etc/lsb-release"
	debian, ofConf, unknown := Destination{Under: "updates/dkms"}, Destination{}, Destination{Unknown: true}
	for name, row := range map[string]struct {
		dkms, id string
		more     map[string]string
		want     Destination
	}{
		"Debian":                           {dkms31, "ID=debian\n", nil, debian},
		"Debian, a wrapper around dkms":    {"exec /usr/lib/dkms/real\n", "ID=debian\n", nil, debian},
		"Ubuntu":                           {dkms31, "ID=ubuntu\nID_LIKE=debian\n", nil, debian},
		"Raspbian, Kali":                   {dkms31, "ID=kali\nID_LIKE=debian\n", nil, debian},
		"Mint, Pop":                        {dkms31, "ID=pop\nID_LIKE=\"ubuntu debian\"\n", nil, debian},
		"Arch":                             {dkms31, "ID=arch\n", nil, debian},
		"like another first":               {dkms31, "ID=foo\nID_LIKE=\"bar debian\"\n", nil, ofConf},
		"like nothing":                     {dkms31, "ID=foo\n", nil, ofConf},
		"Debian, like something unknown":   {dkms31, "ID=debian\nID_LIKE=foo\n", nil, ofConf},
		"Debian, like the empty string":    {dkms31, "ID=debian\nID_LIKE=\n", nil, ofConf},
		"the same, 3.0.6":                  {dkms30, "ID=ubuntu\nID_LIKE=\n", nil, ofConf},
		"Ubuntu, like the empty string":    {dkms31, "ID=ubuntu\nID_LIKE=\n", nil, debian},
		"debian in capitals":               {dkms31, "ID=Debian\n", nil, ofConf},
		"Debian, as its name begins":       {dkms31, "ID=debian-edu\n", nil, debian},
		"Fedora":                           {dkms31, "ID=fedora\n", nil, Destination{Under: "extra"}},
		"SUSE":                             {dkms31, "ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\n", nil, Destination{Under: "updates"}},
		"CentOS, which versions differ on": {dkms31, "ID=centos\nID_LIKE=centos\n", nil, unknown},
		"only a shell knows":               {dkms31, "ID=$(cat /x)\n", nil, unknown},
		"garbage":                          {dkms31, "ID=((\n", nil, unknown},
		"only in /usr/lib":                 {dkms31, "", map[string]string{"/usr/lib/os-release": "ID=foo\n"}, ofConf},
		"only in /usr/lib, 3.0.11":         {dkms30, "", map[string]string{"/usr/lib/os-release": "ID=foo\n"}, unknown},
		"nowhere":                          {dkms31, "", nil, debian},
		"Debian, 3.0.10":                   {dkms30, "ID=debian\n", map[string]string{lsb: "DISTRIB_ID=Foo\n"}, debian},
		"Debian, 3.0.1":                    {dkms288, "ID=debian\n", nil, ofConf},
		"Ubuntu, 3.0.1":                    {dkms288, "ID=ubuntu\nID_LIKE=debian\n", nil, debian},
		"configured":                       {dkms31, "ID=debian\n", map[string]string{"/etc/sysconfig/module-init-tools": "ADDON_MODULES_DIR=/add/on/\n"}, Destination{Under: "add/on"}},
		"configured, only a shell knows":   {dkms31, "ID=debian\n", map[string]string{"/etc/sysconfig/module-init-tools": "ADDON_MODULES_DIR=$X\n"}, unknown},
		"configured, nothing":              {dkms31, "ID=debian\n", map[string]string{"/etc/sysconfig/module-init-tools": "WEAK_MODULES_BIN=x\n"}, debian},

		"Ubuntu, 2.8":                     {dkms28, "ID=ubuntu\n", map[string]string{lsb: "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=20.04\n"}, debian},
		"Mint, 2.8":                       {dkms28, "ID=linuxmint\nID_LIKE=ubuntu\n", map[string]string{lsb: "DISTRIB_ID=LinuxMint\nDISTRIB_RELEASE=20\n"}, ofConf},
		"elementary, 2.8, taken for EL":   {dkms28, "ID=elementary\n", map[string]string{lsb: "DISTRIB_ID=elementary\nDISTRIB_RELEASE=5.1\n"}, Destination{Under: "extra"}},
		"Ubuntu without a release, 2.8":   {dkms28, "ID=ubuntu\n", map[string]string{lsb: "DISTRIB_ID=Ubuntu\n"}, unknown},
		"Debian, 2.8":                     {dkms28, "ID=debian\n", map[string]string{"/usr/lib/os-release": "ID=debian\n", "/usr/bin/lsb_release": "x"}, debian},
		"Debian without lsb_release, 2.8": {dkms28, "ID=debian\n", map[string]string{"/usr/lib/os-release": "ID=debian\n"}, ofConf},
		"the same, with rpm":              {dkms28, "ID=debian\n", map[string]string{"/usr/lib/os-release": "ID=debian\n", "/usr/bin/rpm": "x"}, unknown},
		"lsb_release for others, 2.8":     {dkms28, "ID=debian\n", map[string]string{"/usr/lib/os-release": "ID=debian\n", "/usr/local/bin/lsb_release": "x"}, ofConf},
		"Raspbian, 2.8":                   {dkms28, "ID=raspbian\nID_LIKE=debian\n", map[string]string{"/usr/lib/os-release": "ID=raspbian\nID_LIKE=debian\n", "/usr/bin/lsb_release": "x"}, ofConf},
		"another os-release, 2.8":         {dkms28, "ID=debian\n", map[string]string{"/usr/lib/os-release": "ID=foo\n", "/usr/bin/lsb_release": "x"}, unknown},
		"elementary by lsb_release, 2.8":  {dkms28, "ID=elementary\n", map[string]string{"/usr/lib/os-release": "ID=elementary\n", "/usr/bin/lsb_release": "x"}, unknown},
		"Fedora, 2.8":                     {dkms28, "ID=fedora\n", map[string]string{lsb: "DISTRIB_ID=Fedora\nDISTRIB_RELEASE=9\n"}, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{"/usr/sbin/dkms": row.dkms, "/etc/os-release": row.id}
			for file, text := range row.more {
				files[file] = text
			}
			for file, text := range files {
				if text == "" {
					continue
				}
				require.NoError(t, os.MkdirAll(filepath.Dir(root+file), 0o755))
				require.NoError(t, os.WriteFile(root+file, []byte(text), 0o755))
			}
			l, _ := ReadLayout(root)
			assert.Equal(t, row.want, l.Destination)
		})
	}
}

func TestConfPlaces(t *testing.T) {
	for name, row := range map[string]struct {
		conf string
		want map[string]string
	}{
		"one file":              {"PACKAGE_NAME=a\nDEST_MODULE_LOCATION=/extra/\n", map[string]string{"a": "extra", "b": "extra"}},
		"its name by PACKAGE":   {"BUILT_MODULE_NAME=$PACKAGE_NAME\nDEST_MODULE_LOCATION=/kernel//net\n", map[string]string{"a": "kernel/net"}},
		"two places":            {"BUILT_MODULE_NAME[0]=a\nBUILT_MODULE_NAME[1]=b\nDEST_MODULE_LOCATION[0]=/extra\nDEST_MODULE_LOCATION[1]=/updates\n", map[string]string{"a": "extra", "b": "updates", "c": ""}},
		"renamed":               {"BUILT_MODULE_NAME[0]=x\nDEST_MODULE_NAME[0]=a\nBUILT_MODULE_NAME[2]=b\nDEST_MODULE_LOCATION[0]=/extra\nDEST_MODULE_LOCATION[2]=/updates\n", map[string]string{"a": "extra", "b": "updates", "x": ""}},
		"names unknown":         {"BUILT_MODULE_NAME[0]=$(x)\nBUILT_MODULE_NAME[1]=b\nDEST_MODULE_LOCATION[0]=/extra\nDEST_MODULE_LOCATION[1]=/updates\n", map[string]string{"b": ""}},
		"one place, no names":   {"BUILT_MODULE_NAME[0]=$(x)\nDEST_MODULE_LOCATION[0]=/extra\nDEST_MODULE_LOCATION[1]=/extra\n", map[string]string{"b": "extra"}},
		"place unknown":         {"DEST_MODULE_LOCATION=/kernel/$x\n", map[string]string{"a": ""}},
		"one of them unknown":   {"DEST_MODULE_LOCATION[0]=/extra\nDEST_MODULE_LOCATION[1]=$x\n", map[string]string{"a": ""}},
		"outside of the kernel": {"DEST_MODULE_LOCATION=/../../etc\n", map[string]string{"a": "etc"}},
		"none":                  {"PACKAGE_NAME=a\n", map[string]string{"a": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dkms.conf")
			require.NoError(t, os.WriteFile(file, []byte(row.conf), 0o644))
			as, _, err := shvars.Assignments{}.Source(file)
			require.NoError(t, err)
			for base, dir := range row.want {
				assert.Equal(t, dir, newConfPlaces(as).dir(base), base)
			}
		})
	}
}
