package hooks

import "mvdan.cc/sh/v3/syntax"

// quoted returns a path as a word of a command that a person gives to a shell.
func quoted(path string) string {
	word, err := syntax.Quote(path, syntax.LangBash)
	if err != nil { // a NUL, which no path contains
		return path
	}
	return word
}
