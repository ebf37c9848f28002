package hooks

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/fresh"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/signing"
)

// Remind prints which modules are missing on the newest and the running kernel, as far as that
// still holds, and updates the notice. dkms-hooks remind runs it at the end of each run of
// dpkg.
func Remind(ctx context.Context, inv Invocation, stderr io.Writer) int {
	sys := withRecord(inv) // other commands report its troubles
	text := noticeText(ctx, sys.layout, sys.record)
	_ = record.WriteNotice(sys.layout, text) // the next run writes it again
	fmt.Fprint(stderr, text)
	return exitOK
}

// noticeText returns warnings about modules that are missing on a kernel which may boot next.
// The compiler's error is not repeated: the run that failed has printed it.
func noticeText(ctx context.Context, layout dkmsstate.Layout, rec dkmsstate.Record) string {
	var text strings.Builder
	for _, kernel := range bootable(layout) {
		for _, line := range missingLines(missingModules(ctx, layout, kernel, rec.Kernel(kernel)), kernel, running(layout, kernel)) {
			fmt.Fprintf(&text, "dkms-hooks: %s\n", shorten("warning: "+line))
		}
	}
	if text.Len() > 0 {
		text.WriteString("dkms-hooks:   next: dkms-hooks status\n")
	}
	text.WriteString(enrolText(ctx, layout, signing.SystemFirmware(), rec))
	return text.String()
}

// missingLines returns a line for the modules that failed on the same day, and one for those that
// are missing for the same reason.
func missingLines(missing map[string]dkmsstate.Last, kernel dkmsstate.Release, runs bool) []string {
	which := "newest kernel"
	if runs {
		which = "running kernel"
	}
	on := fmt.Sprintf("for %s (%s)", kernel, which)
	failed, others := map[string][]string{}, map[string][]string{}
	var lines []string
	for _, module := range slices.Sorted(maps.Keys(missing)) {
		if last := missing[module]; last.Result == dkmsstate.LastFailed {
			day := last.When.Format(time.DateOnly)
			failed[day] = append(failed[day], module)
		} else {
			text := fmt.Sprintf("not up to date %s: %s", on, last.Text)
			if last.Result == dkmsstate.LastWaiting {
				text = fmt.Sprintf("not built %s: %s", on, last.Text)
			}
			others[text] = append(others[text], module)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(others)) {
		lines = append(lines, moduleList(others[text])+" "+text)
	}
	for _, day := range slices.Sorted(maps.Keys(failed)) {
		lines = append(lines, fmt.Sprintf("%s failed %s on %s", moduleList(failed[day]), on, day))
	}
	return lines
}

// missingModules returns the recorded attempts for modules that are missing on a kernel, or
// installed there in a build that does not fit. It leaves out what has been fixed since.
func missingModules(ctx context.Context, layout dkmsstate.Layout, kernel dkmsstate.Release, kept dkmsstate.KernelRecord) map[string]dkmsstate.Last {
	out := map[string]dkmsstate.Last{}
	for module, l := range kept.Last {
		if l.Result != dkmsstate.LastInstalled && l.Result != dkmsstate.LastSkipped && strings.Contains(module, "/") && !strings.HasSuffix(module, ".ko") {
			out[module] = l
		}
	}
	if len(out) == 0 {
		return nil
	}
	s, err := dkmsstate.ReadSnapshot(layout, kernel, machineArch(), kept)
	if err != nil {
		return out
	}
	fresh.Examine(ctx, &s, kept)
	maps.DeleteFunc(out, func(module string, _ dkmsstate.Last) bool {
		name, version, _ := strings.Cut(module, "/")
		m := dkmsstate.Module{Name: name, Version: version}
		b, _ := s.Build(m, s.Arch)
		_, known := s.Registration(m)
		return !known || s.Installed(module) && b.Fresh.Verdict != dkmsstate.Stale
	})
	return out
}

// bootsNext returns the newest installed kernel with an image, "" if there is none. A boot
// loader starts it next, unless it is configured otherwise.
func bootsNext(layout dkmsstate.Layout) dkmsstate.Release {
	for _, kernel := range layout.InstalledKernels() {
		if layout.KernelThere(kernel) && layout.ImageThere(kernel) {
			return kernel
		}
	}
	return ""
}

// running reports whether a kernel of the layout is the running one.
func running(layout dkmsstate.Layout, kernel dkmsstate.Release) bool {
	return kernel != "" && kernel == layout.Running
}

// bootable returns the kernel that boots next and the running kernel, as far as they are
// installed.
func bootable(layout dkmsstate.Layout) []dkmsstate.Release {
	var kernels []dkmsstate.Release
	next := bootsNext(layout)
	for _, kernel := range layout.InstalledKernels() {
		if kernel == next || running(layout, kernel) && layout.KernelThere(kernel) {
			kernels = append(kernels, kernel)
		}
	}
	return kernels
}
