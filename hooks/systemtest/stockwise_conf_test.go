//go:build integration

package systemtest

// confScenarios: dkms reads its dkms.conf with bash. A module whose file bash reads is
// built and installed, or left out, as bash says.
func confScenarios() []scenario {
	const kind = "dkms.conf"
	const yes = `sed -i /AUTOINSTALL/d /usr/src/conf-1.0/dkms.conf`
	// lines are shell words for printf, each of which gives one line.
	lines := func(words string) string { return `printf '%s\n' ` + words + ` >>/usr/src/conf-1.0/dkms.conf` }
	const built, left = "has conf; builds conf 1", "unbuilt conf; builds conf 0"
	var all []scenario
	for _, c := range []struct {
		name, do, right string
		quick           bool
	}{
		{"a comment in Latin-1", `printf '# Treiber f\374r Ger\344te\n' >>/usr/src/conf-1.0/dkms.conf`, built, true},
		{"a value in Latin-1", `printf 'LAB_AUTHOR="J\366rg"\n' >>/usr/src/conf-1.0/dkms.conf`, built, false},
		{"case", yes + ` && ` + lines(`'case $kernelver in' '*) AUTOINSTALL=yes ;;' esac`), built, true},
		{"a case that says no", yes + ` && ` + lines(`'case $kernelver in' '0.0-*) AUTOINSTALL=yes ;;' esac`), left, false},
		{"&&", yes + ` && ` + lines(`'[ -n "$BASH_VERSION" ] && AUTOINSTALL=yes'`), built, false},
		{"|| that says no", yes + ` && ` + lines(`'[ -n "$BASH_VERSION" ] || AUTOINSTALL=yes'`), left, false},
		{"a value unless there is one", yes + ` && ` + lines(`': ${AUTOINSTALL:=yes}'`), built, false},
		{"printf -v", yes + ` && ` + lines(`'printf -v AUTOINSTALL %s yes'`), built, false},
		{"read", yes + ` && ` + lines(`'read -r AUTOINSTALL <<<yes'`), built, false},
		{"eval", yes + ` && ` + lines(`'eval AUTOINSTALL=yes'`), built, false},
		{"declare", yes + ` && ` + lines(`'declare -g AUTOINSTALL=yes'`), built, false},
		{"export", yes + ` && ` + lines(`'export AUTOINSTALL=yes'`), built, false},
		{"a function", yes + ` && ` + lines(`'lab() { AUTOINSTALL=yes; }' lab`), built, false},
		{"if and else", yes + ` && ` + lines(`'if [ -e /none ]; then AUTOINSTALL=""; else AUTOINSTALL=yes; fi'`), built, false},
		{"an array's member", yes + ` && ` + lines(`'AUTOINSTALL[0]=yes'`), built, false},
		{"+=", yes + ` && ` + lines(`'AUTOINSTALL+=yes'`), built, false},
		{"unset", lines(`'unset AUTOINSTALL'`), left, true},
		{"unset under a condition that does not hold", lines(`'[ -e /none ] && unset AUTOINSTALL' ':'`), built, false},
		{"set to nothing later", lines(`'AUTOINSTALL='`), left, false},
		{"a file that is sourced", yes + ` && echo AUTOINSTALL=yes >/usr/src/conf-1.0/more && ` + lines(`'. /usr/src/conf-1.0/more'`), built, false},
		{"a file that is sourced and says no", `echo unset AUTOINSTALL >/usr/src/conf-1.0/more && ` + lines(`'source /usr/src/conf-1.0/more'`), left, false},
		{"a here-document", lines(`'cat >/dev/null <<END' 'AUTOINSTALL=' "it's" END`), built, false},
		{"a loop that fills an array", `sed -i '/BUILT_MODULE_NAME/d; /DEST_MODULE_LOCATION/d' /usr/src/conf-1.0/dkms.conf && ` +
			lines(`'n=0; for m in conf; do BUILT_MODULE_NAME[$n]=$m; DEST_MODULE_LOCATION[$n]=/updates/dkms; n=$((n + 1)); done'`), built, false},
		{"a command's output", yes + ` && ` + lines("'AUTOINSTALL=$(echo yes)'"), built, false},
		{"backquotes", yes + ` && ` + lines("'AUTOINSTALL=`echo yes`'"), built, false},
		{"an arithmetic expression", yes + ` && ` + lines(`'(( 1 < 2 )) && AUTOINSTALL=yes'`), built, false},
		{"a last command that fails", lines(`'[ -e /none ]'`), built, false},
		{"a byte order mark in a comment", `sed -i '1i #\xef\xbb\xbf' /usr/src/conf-1.0/dkms.conf`, built, false},
		{"lines that go on", lines(`'LAB="a \' 'b"' 'LAB2=a\' b`), built, false},
		{"no newline at the end", `printf 'LAB=x' >>/usr/src/conf-1.0/dkms.conf`, built, false},
	} {
		all = append(all, scenario{kind: kind, name: c.name, from: fresh, quick: c.quick, stock: "all",
			steps: []string{"module conf 1.0 --count", c.do, "comes $K", "byhand"}, right: c.right + "; has alpha; registered conf 1.0; configured"})
	}
	return append(all,
		// dkms of bookworm asks about AUTOINSTALL before it knows the kernel.
		scenario{kind: kind, name: "&& with the kernel's release", from: fresh, asStock: true, stock: "trixie",
			steps: []string{"module conf 1.0 --count", yes + ` && ` + lines(`'[ -n "$kernelver" ] && AUTOINSTALL=yes'`), "comes $K", "byhand"}, right: built + "; has alpha; registered conf 1.0; configured"},
		// A file with carriage returns gives names and values that end with one.
		scenario{kind: kind, name: "carriage returns", from: fresh, asStock: true,
			steps: []string{"module conf 1.0 --count", `sed -i 's/$/\r/' /usr/src/conf-1.0/dkms.conf`, "comes $K"}, right: "has conf; has alpha; registered conf 1.0; configured"},
		scenario{kind: kind, name: "carriage returns in comments", from: fresh, stock: "all",
			steps: []string{"module conf 1.0 --count", `printf '# a comment\r\n' >>/usr/src/conf-1.0/dkms.conf`, "comes $K"}, right: "has conf; has alpha; registered conf 1.0; configured"},
		scenario{kind: kind, name: "a syntax error beside a good module", from: fresh,
			steps: []string{"module conf 1.0 --count", `echo 'if (' >>/usr/src/conf-1.0/dkms.conf`, "comes $K"}, right: "has alpha; registered conf 1.0; configured"},
	)
}
