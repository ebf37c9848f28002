package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// WriteNotice writes the text that is shown until what it reports is fixed. With an empty text
// it removes the file.
func WriteNotice(l dkmsstate.Layout, text string) error {
	old, err := regular.ReadFile(noticeFile(l))
	if err == nil && string(old) == text || errors.Is(err, fs.ErrNotExist) && text == "" {
		return nil
	}
	if text == "" {
		err = os.Remove(noticeFile(l))
	} else {
		err = writeOwn(l, "notice", []byte(text))
	}
	if err != nil {
		return fmt.Errorf("cannot write the notice: %w", err)
	}
	return nil
}

func noticeFile(l dkmsstate.Layout) string {
	return filepath.Join(l.Path(dkmsstate.StateDir), "notice")
}
