package hooks

import "fmt"

// DecideKernel returns the verdict on a kernel that no hook was called for: Autoinstall if it
// is installed and can be started, Unbuild if it has no modules, no image and no owner, and
// Keep otherwise. It depends on nothing but its arguments.
func DecideKernel(inv Invocation, w World) Decision {
	switch {
	case w.There && len(w.Unconfigured) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("%s is not configured yet", list(w.Unconfigured))}
	case w.There && w.Unreadable != nil && !w.Running && !w.Image && !w.Stays:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has modules, and dpkg's database cannot be read: %v", w.Unreadable)}
	case w.Lifeless() && len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has modules (of %s) and no image to boot", list(w.Owners))}
	case w.Lifeless():
		return Decision{Verdict: Keep, Reason: "it has modules, no image, and no package owns it"}
	case w.There:
		return Decision{Verdict: Autoinstall, Reason: "the kernel is installed"}
	case w.Unreadable != nil:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has no modules, and dpkg's database cannot be read: %v", w.Unreadable)}
	case w.Image:
		return Decision{Verdict: Keep, Reason: "it has no modules, and an image"}
	case len(w.Owners) > 0:
		return Decision{Verdict: Keep, Reason: fmt.Sprintf("it has no modules, and belongs to %s", list(w.Owners))}
	}
	if !w.Seen { // headers alone, for which somebody builds, or what was there before this package
		return Decision{Verdict: Keep, Reason: "it has no modules, no image and no owner, and no run has seen it installed"}
	}
	return Decision{
		Verdict:         Unbuild,
		Reason:          "the kernel is gone: no modules, no image, and no package owns it",
		RemoveKernelDir: len(w.Files) == 0,
	}
}
