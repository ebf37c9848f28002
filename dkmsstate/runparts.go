package dkmsstate

import "strings"

// RunPartsName reports whether run-parts(8) takes a file of that name: it consists of letters, digits,
// dashes and underscores.
func RunPartsName(name string) bool {
	const taken = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	return name != "" && strings.Trim(name, taken) == ""
}
