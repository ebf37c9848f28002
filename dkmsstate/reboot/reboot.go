// Package reboot sets aside the request for a reboot, and puts it back. Packages make the request
// by the file /run/reboot-required, and add their names to /run/reboot-required.pkgs.
// unattended-upgrades, kured and others reboot the machine while the first file exists.
//
// Both are renamed, within /run: nothing is lost if this is interrupted, and the next call ends
// it. /run is empty after a reboot. What packages request meanwhile is set aside by the next Hold
// or stays when Release puts back the rest, and each package is in the list once.
package reboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/record"
)

// File is the file that requests a reboot.
const File = "/run/reboot-required"

// The names of the files. They are set aside in asideDir, in /run. incoming is a list that was set
// aside and is not yet added to the list that was there before.
const (
	asideDir = "dkms-hooks"
	request  = "reboot-required"
	list     = "reboot-required.pkgs"
	incoming = "reboot-required.pkgs.new"
)

// Held reports whether a request is set aside.
func Held(l dkmsstate.Layout) bool { return exist(l, aside(request)) }

// Hold sets the request aside. It reports whether one was set aside that was not held before. No
// request is not an error.
func Hold(ctx context.Context, l dkmsstate.Layout) (bool, error) {
	more := exist(l, inRun(list), aside(incoming)) && Held(l)
	if !dkmsstate.Exists(l.Path(File)) && !more {
		return false, nil
	}
	d, err := openDirs(ctx, l, true)
	if err != nil {
		return false, fmt.Errorf("cannot set aside %s: %w", File, err)
	}
	defer d.close()
	before := Held(l)
	if err = d.hold(); err != nil {
		err = fmt.Errorf("cannot set aside %s: %w", File, err)
	}
	return !before && Held(l), err
}

// Release puts the request back. It reports whether there was one.
func Release(ctx context.Context, l dkmsstate.Layout) (bool, error) {
	if !exist(l, aside(request), aside(list), aside(incoming)) {
		return false, nil
	}
	d, err := openDirs(ctx, l, false)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot put back %s: %w", File, err)
	}
	defer d.close()
	before := Held(l)
	if err = d.release(); err != nil {
		err = fmt.Errorf("cannot put back %s: %w", File, err)
	}
	return before && !Held(l), err
}

// inRun returns the path of a file in /run, and aside the path to which it is set aside.
func inRun(name string) string { return "/run/" + name }
func aside(name string) string { return inRun(asideDir + "/" + name) }

// exist reports whether one of some files exists, even as a dangling link.
func exist(l dkmsstate.Layout, paths ...string) bool {
	return slices.ContainsFunc(paths, func(path string) bool {
		_, err := os.Lstat(l.Path(path))
		return err == nil
	})
}

// dirs are /run and the directory of what is set aside.
type dirs struct {
	run, aside *nofollow.Dir
	lock       *record.Lock
}

// openDirs opens both, and takes the lock against other runs of this program.
func openDirs(ctx context.Context, l dkmsstate.Layout, create bool) (d dirs, err error) {
	if d.run, err = l.NoFollow().OpenDir("/run"); err != nil {
		return dirs{}, err
	}
	if d.aside, err = openAside(d.run, create); err != nil {
		d.run.Close()
		return dirs{}, err
	}
	if d.lock, err = record.AcquireReboot(ctx, l); err != nil {
		d.run.Close()
		d.aside.Close()
		return dirs{}, err
	}
	return d, nil
}

// openAside opens the directory of what is set aside. Only root can change what is in it.
func openAside(run *nofollow.Dir, create bool) (*nofollow.Dir, error) {
	st, err := run.Lstat(asideDir)
	if create && nofollow.IsNotExist(err) {
		if err = run.Mkdir(asideDir, 0o755); errors.Is(err, fs.ErrExist) {
			err = nil // by another run
		}
		if err == nil {
			st, err = run.Lstat(asideDir)
		}
	}
	if err != nil {
		return nil, err
	}
	if !st.IsDir() || int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return nil, errors.New("/run/" + asideDir + " is not a directory that only root can write to")
	}
	return run.Sub(asideDir)
}

// close closes both directories and releases the lock.
func (d dirs) close() { d.run.Close(); d.aside.Close(); d.lock.Close() }

// has reports whether a directory has an entry.
func has(in *nofollow.Dir, name string) bool {
	_, err := in.Lstat(name)
	return err == nil
}

// hold sets aside first the request, then the list. A newer request replaces an earlier one, as if
// that had stayed in its place.
func (d dirs) hold() error {
	err := d.run.MoveFile(request, d.aside, request)
	if err != nil && !nofollow.IsNotExist(err) {
		return err
	}
	return d.collect()
}

// release puts back first the list, then the request. If there is a newer request, it stays. A
// list that cannot be put back does not hold the request.
func (d dirs) release() error {
	listErr := d.releaseList()
	err := d.aside.MoveNewFile(request, d.run, request)
	switch {
	case errors.Is(err, fs.ErrExist):
		err = d.aside.RemoveAll(request)
	case nofollow.IsNotExist(err):
		err = nil
	}
	return errors.Join(listErr, err)
}

func (d dirs) releaseList() error {
	err := d.merge()
	for err == nil && has(d.aside, list) {
		if err = d.aside.MoveNewFile(list, d.run, list); errors.Is(err, fs.ErrExist) {
			err = d.collect()
		}
	}
	return err
}

// collect adds the list in /run to the one that is set aside.
func (d dirs) collect() error {
	if err := d.merge(); err != nil {
		return err
	}
	st, err := d.run.Lstat(list)
	switch {
	case nofollow.IsNotExist(err):
		return nil
	case err != nil:
		return err
	case !st.Is(unix.S_IFREG):
		return fmt.Errorf("/run/%s is not a regular file", list)
	}
	if err := d.run.MoveFile(list, d.aside, incoming); err != nil {
		return err
	}
	return d.merge()
}
