package bootloader

import (
	"errors"
	"strings"
)

// grubEnvSignature begins an environment block.
const grubEnvSignature = "# GRUB Environment Block\n"

// parseGrubEnv parses an environment block (GRUB manual, grub-editenv): lines NAME=VALUE, in
// which a backslash precedes a literal character, filled up with "#".
func parseGrubEnv(data []byte) (map[string]string, error) {
	text, ok := strings.CutPrefix(string(data), grubEnvSignature)
	if !ok {
		return nil, errors.New("not an environment block of GRUB")
	}
	env := map[string]string{}
	for text != "" {
		if strings.HasPrefix(text, "#") { // a comment, or what fills the block
			_, text, _ = strings.Cut(text, "\n")
			continue
		}
		var line string
		line, text = grubEnvLine(text)
		if name, value, ok := strings.Cut(line, "="); ok {
			env[name] = value
		}
	}
	return env, nil
}

// grubEnvLine returns the first line of a block without its backslashes, and the rest.
func grubEnvLine(text string) (line, rest string) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			out.WriteByte(text[i])
		case c == '\n':
			return out.String(), text[i+1:]
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), ""
}
