package systemtest

import (
	"regexp"
	"strings"

	"dkms-hooks/hooks/systemtest/lab"
)

// caller is a style of kernel packages: how they are called. KVER stands for the release.
type caller struct {
	style string
	// image are the packages of a kernel without its headers, the one that runs the hooks first.
	image, headers []string
	// single: the packages have one name for all releases, and a higher version for another
	// one. both: a package has two of them.
	single, both bool
	// every: hooks run on every action. silent: they are not told which.
	every, silent bool
	// always: its own transitions are played without -callers, too.
	always bool
}

// callers are the styles beside the two of the matrix. testdata/lab/callers.sh describes them.
func callers() []caller {
	debian := caller{image: []string{"linux-image-KVER"}, headers: []string{"linux-headers-KVER"}}
	liquorix, bindeb, ubuntu := debian, debian, debian
	liquorix.style = "liquorix"
	bindeb.style, bindeb.every = "bindeb", true
	ubuntu.style, ubuntu.image = "ubuntu", []string{"linux-image-KVER", "linux-modules-KVER", "linux-modules-extra-KVER"}
	return []caller{
		{style: "proxmox", image: []string{"proxmox-kernel-KVER"}, headers: []string{"proxmox-headers-KVER"}, silent: true, always: true},
		{style: "armbian", image: []string{"linux-image-current-lab"}, headers: []string{"linux-headers-current-lab"}, single: true, every: true},
		ubuntu,
		{style: "raspbian", image: []string{"raspberrypi-kernel"}, headers: []string{"raspberrypi-kernel-headers"}, single: true, both: true, every: true, always: true},
		liquorix, bindeb,
	}
}

// callerOf returns the style of that name.
func callerOf(style string) caller {
	for _, c := range callers() {
		if c.style == style {
			return c
		}
	}
	return caller{style: style, image: []string{"linux-image-KVER"}, headers: []string{"linux-headers-KVER"}, every: style == "builddeb"}
}

// allStyles are those of the matrix and the callers.
func allStyles() []string {
	all := lab.Styles()
	for _, c := range callers() {
		all = append(all, c.style)
	}
	return all
}

// install returns the command that installs a kernel. Image and headers are unpacked first, so
// that one run sees both, unless the headers are of use only when they are configured.
func (c caller) install(headers, image string) string {
	if c.style == "armbian" {
		return "dpkg -i " + headers + " && dpkg -i " + image
	}
	return "dpkg --unpack " + headers + " " + image + " && dpkg --configure -a"
}

// adapt returns a transition of the matrix for the packages of a caller, and reports whether it
// applies to them. One that is the caller's own stays as it is.
func (c caller) adapt(r row) (row, bool) {
	switch {
	case r.style == c.style:
		return r, true
	case strings.Contains(r.do, "apt autoremove") && regexp.MustCompile(`^linux-image-[a-z0-9]*-[a-z0-9]*$`).MatchString(c.image[0]):
		return row{}, false // apt never removes a package of such a name by itself (01autoremove)
	case r.style != "" && (r.style != "builddeb" || !c.every),
		c.single && (r.from == two || regexp.MustCompile(`other|OTHER`).MatchString(r.do)),
		c.silent && regexp.MustCompile(`(fails|kills) (preinst|p\w+ upgrade|p\w+ failed)`).MatchString(r.do),
		regexp.MustCompile(`\b(rival|renamed|repack|package|swap) |split_as|:amd64`).MatchString(r.do):
		return row{}, false
	}
	if c.silent {
		r.do = regexp.MustCompile(`(fails|kills) (\w+) \w+`).ReplaceAllString(r.do, "$1 $2")
	}
	all := "$IMAGE"
	if r.want.modules == present { // a removal that dpkg aborts is one of the package that runs the hooks
		all = "${IMAGE%% *}"
	}
	r.do = strings.NewReplacer(
		`"$image1"`, `$image1`, `"$image2"`, `$image2`, `"$headers1"`, `$headers1`, `"$headers2"`, `$headers2`,
		`"$otherimage"`, `$otherimage`, `"$otherheaders"`, `$otherheaders`,
		`echo "linux-image-$K"`, `echo "${IMAGE%% *}"`,
		`"linux-image-$K"`, all, `"linux-headers-$K"`, `$HEADERS`,
		`"linux-image-$OTHER-"`, `$(printf '%s- ' $OTHERIMAGE)`, `"linux-headers-$OTHER-"`, `$(printf '%s- ' $OTHERHEADERS)`,
		`"linux-image-$OTHER"`, `$OTHERIMAGE`, `"linux-headers-$OTHER"`, `$OTHERHEADERS`,
	).Replace(r.do)
	if strings.Contains(r.do, "linux-image-") && (len(c.image) > 1 || c.image[0] != "linux-image-KVER") {
		return row{}, false
	}
	if c.both && r.want.other == "" && r.from != fresh {
		r.want.other = r.want.modules
	}
	return r, true
}

// named returns the name of a package of a kernel.
func named(name, kver string) string { return strings.ReplaceAll(name, "KVER", kver) }
