package hooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dkms-hooks/dkmsstate/record"
)

// parseEnvironment parses the field Environment: assignments NAME=VALUE, separated by blanks or
// newlines. Quotes keep blanks together, as in a shell. Nothing is expanded. Entries that cannot
// be used are left out, with an error each. No error contains a value, since a value may be a
// passphrase.
func parseEnvironment(text string) (assignments []string, wrong []error) {
	words, err := quotedWords(text)
	if err != nil {
		return nil, []error{err}
	}
	name := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	for i, word := range words {
		variable, _, ok := strings.Cut(word, "=")
		switch {
		case !ok || !name.MatchString(variable) || strings.ContainsRune(word, 0):
			wrong = append(wrong, fmt.Errorf("entry %d of Environment is not NAME=VALUE", i+1))
		case slices.Contains([]string{"LC_ALL", record.RunVariable}, variable):
			wrong = append(wrong, fmt.Errorf("cannot set %s in Environment: the hooks set it themselves", variable))
		default:
			assignments = append(assignments, word)
		}
	}
	return assignments, wrong
}

// quotedWords splits text at blanks outside quotes and removes the quotes.
func quotedWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord, quote := false, rune(0)
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			inWord, quote = true, r
		case strings.ContainsRune(" \t\r\n", r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	switch {
	case quote != 0:
		return nil, errors.New("a quotation mark in Environment is not closed")
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}
