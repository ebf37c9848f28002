package debpkg

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseParagraph(t *testing.T) {
	fields, err := ParseParagraph([]byte("# why\n\nPackage : linux-image-1\r\nempty:\nDescription:  short \n long\n .\n# not this\n\tend\n\n \n"))
	require.NoError(t, err)
	assert.Equal(t, []Field{{"Package", "linux-image-1", 3}, {"empty", "", 4}, {"Description", "short\nlong\n\nend", 5}}, fields)
	for text, line := range map[string]int{" a\n": 1, "a: b\n\nc: d": 3, "A: b\nc\n": 2, "A: b\na: c": 2, ": b": 1, "a b: c": 1, "\x00: b": 1} {
		_, err := ParseParagraph([]byte(text))
		var at *ParagraphError
		require.True(t, errors.As(err, &at), "%q", text)
		assert.Equal(t, line, at.Line, "%q: %v", text, err)
	}
}

func TestParseFields(t *testing.T) {
	fields, wrong := ParseFields([]byte(" stray\na: 1\nno field\n continues it\n\nb: 2\n 3\nA: 4\n 5\n\nc: 6\n"))
	assert.Equal(t, []Field{{"a", "1", 2}, {"b", "2\n3", 6}, {"c", "6", 11}}, fields)
	var lines []int
	for _, w := range wrong {
		lines = append(lines, w.Line)
	}
	assert.Equal(t, []int{1, 3, 6, 8, 11}, lines)
}

func FuzzParseParagraph(f *testing.F) {
	f.Add([]byte("a: b\n c\nd: e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, err := ParseParagraph(data)
		if err != nil {
			require.Empty(t, fields)
			return
		}
		for _, field := range fields {
			assert.NotContains(t, field.Name, ":")
			assert.Positive(t, field.Line)
		}
	})
}
