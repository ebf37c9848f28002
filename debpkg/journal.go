package debpkg

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// readJournal merges updates/ into the database: the files whose names are digits, in ascending
// order, so that the last record of a package wins. Other files there, such as tmp.i, are
// temporary files of dpkg.
func (db *Database) readJournal() error {
	dir := filepath.Join(db.dir, "updates")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read dpkg's journal: %w", err)
	}
	numbers := map[string]uint64{}
	var names []string
	for _, entry := range entries {
		if number, ok := journalNumber(entry.Name()); ok {
			numbers[entry.Name()] = number
			names = append(names, entry.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	for _, name := range names {
		data, _, err := readFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // merged into status since, which Open notices
		}
		if err != nil {
			return fmt.Errorf("cannot read dpkg's journal: %w", err)
		}
		db.merge(data, "updates/"+name)
	}
	return nil
}

func journalNumber(name string) (uint64, bool) {
	for _, c := range name {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	number, err := strconv.ParseUint(name, 10, 64)
	return number, err == nil
}
