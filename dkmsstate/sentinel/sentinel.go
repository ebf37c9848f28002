// Package sentinel defines errors that callers compare with.
package sentinel

// Error is a constant error.
type Error string

// Error returns the text.
func (e Error) Error() string { return string(e) }
