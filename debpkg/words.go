package debpkg

import "strings"

// splitWords splits DEB_MAINT_PARAMS into the arguments of the maintainer script. A text that
// begins with a quote is single-quoted for a shell (Debian Kernel Handbook 8.1), any other is
// the plain "$*". Nothing is expanded. It reports false for a quote that is not closed.
func splitWords(params string) ([]string, bool) {
	if strings.HasPrefix(strings.TrimLeftFunc(params, isBlank), "'") {
		return unquote(params)
	}
	return strings.FieldsFunc(params, isBlank), true
}

// unquote splits words of '…' parts, \c pairs and bare characters, as a POSIX shell does for
// the words that printf %q and the linux templates write.
func unquote(params string) ([]string, bool) {
	var words []string
	var word strings.Builder
	inWord, inQuote := false, false
	for i := 0; i < len(params); i++ {
		c := params[i]
		switch {
		case c == '\'':
			inWord, inQuote = true, !inQuote
		case inQuote:
			word.WriteByte(c)
		case c == '\\':
			if i++; i == len(params) {
				return nil, false
			}
			inWord = true
			word.WriteByte(params[i])
		case isBlank(rune(c)):
			if inWord {
				words = append(words, word.String())
			}
			inWord = false
			word.Reset()
		default:
			inWord = true
			word.WriteByte(c)
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, !inQuote
}

func isBlank(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n'
}
