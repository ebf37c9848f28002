package dkmsstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dkms-hooks/dkmsstate/regular"
)

// WriteNotice writes the text that is shown until what it tells of is mended; with
// none there is no file.
func (l Layout) WriteNotice(text string) error {
	old, err := regular.ReadFile(l.noticeFile())
	if err == nil && string(old) == text || errors.Is(err, fs.ErrNotExist) && text == "" {
		return nil
	}
	if text == "" {
		err = os.Remove(l.noticeFile())
	} else {
		err = l.writeOwn("notice", []byte(text))
	}
	if err != nil {
		return fmt.Errorf("cannot write the notice: %w", err)
	}
	return nil
}

func (l Layout) noticeFile() string { return filepath.Join(l.Path(stateDir), "notice") }
