// Package sentinel has errors that callers compare with.
package sentinel

// Error is such an error; it is a constant.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }
