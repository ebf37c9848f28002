package hooks

import "slices"

// disabled reports whether the configuration disables the hook of an invocation. A person's
// command does what it says nevertheless, but not the one that runs after each apt or dpkg.
func (c Config) disabled(inv Invocation) bool {
	return slices.Contains(c.Disable, inv.Hook) && (!inv.Person || inv.FailedOnly)
}

// decide returns the verdict on an invocation under the configuration.
func (c Config) decide(inv Invocation, w World) Decision {
	if c.disabled(inv) {
		return Decision{Verdict: Keep, Reason: "the configuration disables this hook"}
	}
	return Decide(inv, w)
}
