package dkmsstate

// Freshness is whether a build still fits its kernel, and why. The kernel compares a CRC for
// each symbol that a module uses (CONFIG_MODVERSIONS), or nothing but vermagic. In the second
// case only the record of what a build was made from can show whether it fits.
type Freshness struct {
	Verdict FreshnessVerdict
	Reason  string
	// Rejected reports whether the kernel certainly rejects the build.
	Rejected bool
}

// FreshnessVerdict is Fresh, Stale or Unknown.
type FreshnessVerdict string

// Fresh means that the build was made for the kernel as it is. Stale means that it does not
// load, or loads and reads wrong memory. Unknown means that neither can be shown.
const (
	Fresh   FreshnessVerdict = "fresh"
	Stale   FreshnessVerdict = "stale"
	Unknown FreshnessVerdict = "unknown"
)
