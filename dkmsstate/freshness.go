package dkmsstate

// Freshness is whether a build still fits its kernel, and why. The kernel compares
// a CRC for each symbol that a module uses (CONFIG_MODVERSIONS), or nothing but
// vermagic; then what a build was made from is all that can tell.
type Freshness struct {
	Verdict FreshnessVerdict
	Reason  string
}

// FreshnessVerdict is one of three.
type FreshnessVerdict string

// A fresh build was made for the kernel as it is. A stale one does not load, or
// loads and reads wrong memory. Of an unknown one nothing proves either.
const (
	Fresh   FreshnessVerdict = "fresh"
	Stale   FreshnessVerdict = "stale"
	Unknown FreshnessVerdict = "unknown"
)
