package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/record"
	"dkms-hooks/dkmsstate/regular"
)

// Follow prints what dkms writes to the logs of the running builds until the run that holds the
// lock ends. If no run is active, it returns record.ErrIdle. A line with the log's path comes
// first whenever the log changes.
func Follow(ctx context.Context, inv Invocation, out io.Writer) error {
	const pause = 200 * time.Millisecond
	layout, _ := dkmsstate.ReadLayout(inv.Root)
	working, err := record.AtWork(layout)
	if err == nil && !working {
		err = record.ErrIdle
	}
	if err != nil {
		return err
	}
	f := follower{out: out, offset: map[string]int64{}}
	for working {
		if working, err = record.AtWork(layout); err != nil {
			return err
		}
		for _, log := range record.LiveLogs(layout, inv.Kernel) {
			if err := f.copyNew(log); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
	return nil
}

// follower keeps track of how much of each log was printed.
type follower struct {
	out io.Writer
	// offset is how much was printed, by path.
	offset map[string]int64
	// last is the path of the log that was printed last.
	last string
}

// copyNew prints what was added to a log. A log that has become shorter was started again and
// is printed from its beginning.
func (f *follower) copyNew(path string) error {
	file, err := regular.OpenNoFollow(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, regular.ErrNotRegular) {
		return nil // the build has ended, or it is no log of dkms
	}
	if err != nil {
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil || info.Size() == f.offset[path]:
		return nil
	case info.Size() < f.offset[path]:
		f.offset[path] = 0
	}
	if f.last != path {
		fmt.Fprintf(f.out, "==> %s <==\n", WithoutControls(path))
		f.last = path
	}
	n, err := io.Copy(f.out, io.NewSectionReader(file, f.offset[path], info.Size()-f.offset[path]))
	f.offset[path] += n
	if err != nil {
		return fmt.Errorf("cannot follow the log: %w", err)
	}
	return nil
}
