package dkmsstate

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"dkms-hooks/dkmsstate/kmod"
	"dkms-hooks/dkmsstate/nofollow"
	"dkms-hooks/dkmsstate/shvars"
)

// Layout describes where dkms keeps its files, as absolute paths inside Root.
type Layout struct {
	// Root is the directory that contains all paths, "/" on a running system.
	Root string
	// DKMSTree is dkms_tree, Source is source_tree and Install is install_tree of
	// framework.conf(5), as seen from inside Root.
	DKMSTree, Source, Install string
	// Running is the running kernel, "" in another root. It counts as present whatever is on
	// the disk, since some hosts start guests with kernels of which the guests have no image or
	// modules (WSL, Firecracker, netboot).
	Running Release
	// Destination is where the machine's dkms installs modules.
	Destination Destination
	// AllKernels is autoinstall_all_kernels if the administrator set it: every kernel gets
	// every module.
	AllKernels bool
	// Distribution is the name by which dkms knows the system, "" if only dkms knows it.
	Distribution string
	// PostTransaction returns post_transaction: the command that dkms runs when it has installed
	// modules on a kernel. It is nil if there is none, or if only dkms knows it, which
	// TransactionByDKMS reports.
	PostTransaction   func(k Release) string
	TransactionByDKMS bool
	// LimitsJobs reports whether parallel_jobs limits the jobs of a build, and so what runs at
	// a time.
	LimitsJobs bool
	// DKMSInstalls reports whether a setting of framework.conf changes how dkms installs
	// a module, so that dkms itself has to do it.
	DKMSInstalls bool
	// Key and Certificate are mok_signing_key and mok_certificate, "" where they are not set.
	// KeyUnknown reports whether only a shell could find them. NamesKey reports whether
	// framework.conf sets one of them, or sign_file.
	Key, Certificate     string
	KeyUnknown, NamesKey bool
	// RemakesInitramfs reports whether dkms follows REMAKE_INITRD of a dkms.conf, and WritesModprobeConf
	// whether it follows MODULES_CONF (2.8.7 and older).
	RemakesInitramfs, WritesModprobeConf bool
	// NeverSigns reports whether the administrator does not want modules to be signed
	// (try_sign_modules of dkms 3.4).
	NeverSigns bool
	// Reader reads the files of modules.
	Reader *kmod.Reader
	// Refuse is nofollow.Root.Refuse, for tests.
	Refuse func(call, path string) error
}

// DefaultLayout returns the defaults of dkms under root.
func DefaultLayout(root string) Layout {
	return Layout{Root: root, DKMSTree: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules",
		Destination: Destination{Under: InstalledUnder}, Reader: kmod.NewReader()}
}

// NoFollow returns the root in which the layout's paths are resolved.
func (l Layout) NoFollow() nofollow.Root { return nofollow.Root{Path: l.Root, Refuse: l.Refuse} }

// Path returns the path in this root of a path of the system.
func (l Layout) Path(path string) string { return filepath.Join(l.Root, path) }

// ReadLayout returns the layout under root, with the trees that /etc/dkms/framework.conf or a
// file in framework.conf.d moves. It follows literal assignments of absolute paths. For any
// other assignment it keeps the default and reports a trouble.
func ReadLayout(root string) (Layout, []string) {
	l := DefaultLayout(root)
	l.Running = runningKernel(root)
	text := dkmsText(l)
	l.Distribution, l.Destination = readDestination(l, text)
	files := []string{l.Path(FrameworkConf)}
	more, _ := filepath.Glob(l.Path("/etc/dkms/framework.conf.d/*.conf"))
	sort.Strings(more)
	var troubles []string
	for _, file := range append(files, more...) {
		as, trouble, err := shvars.Assignments{}.SourceIfThere(file)
		switch {
		case err != nil:
			troubles = append(troubles, fmt.Sprintf("cannot read %s, its settings are ignored: %v", file, err))
		case trouble != nil:
			troubles = append(troubles, fmt.Sprintf("cannot read %s, its settings are ignored: %v", file, trouble))
			l.apply(file, as)
		default:
			troubles = append(troubles, l.apply(file, as)...)
		}
	}
	if text != "" && !strings.Contains(text, "post_transaction") {
		l.PostTransaction, l.TransactionByDKMS = nil, false // dkms 3.1 and older do not know it
	}
	l.RemakesInitramfs, l.WritesModprobeConf = strings.Contains(text, "make_initrd()"), strings.Contains(text, "moduleconfig_add()")
	l.NeverSigns = l.NeverSigns && (text == "" || strings.Contains(text, "try_sign_modules")) // from 3.4
	return l, troubles
}

// FrameworkConf is the configuration of dkms. Files in FrameworkConf.d follow it.
const FrameworkConf = "/etc/dkms/framework.conf"

// shippedAllKernels is the file in which dkms of Debian 13 sets autoinstall_all_kernels to yes
// on every machine. That setting is for the packages of modules, which build for every kernel
// when they are installed (dkms, common.postinst). No hook of dkms reads it.
const shippedAllKernels = "autoinstall_all_kernels.conf"

// apply follows the settings of one file. It returns a message for each setting that could not
// be followed.
func (l *Layout) apply(file string, as shvars.Assignments) []string {
	var troubles []string
	for _, name := range []string{"symlink_modules", "modprobe_on_install"} {
		l.DKMSInstalls = l.DKMSInstalls || as.MayBeSet(name)
	}
	l.applyPostTransaction(as)
	if value, set := setting(as, "try_sign_modules"); set {
		l.NeverSigns = value == "false"
	}
	if jobs, known := as.Value("parallel_jobs"); !known {
		l.LimitsJobs = true
	} else if as.Assigned("parallel_jobs") {
		l.LimitsJobs = jobs != "" && jobs != "0"
	}
	if value, set := setting(as, "autoinstall_all_kernels"); set && filepath.Base(file) != shippedAllKernels {
		l.AllKernels = yes(value)
	}
	for name, place := range map[string]*string{"mok_signing_key": &l.Key, "mok_certificate": &l.Certificate} {
		_, known := as.Value(name)
		l.KeyUnknown = l.KeyUnknown || !known
		if value, set := setting(as, name); set {
			*place = value
		}
	}
	for _, name := range []string{"sign_file", "mok_signing_key", "mok_certificate"} {
		l.NamesKey = l.NamesKey || as.MayBeSet(name)
	}
	for _, v := range []struct {
		name  string
		place *string
	}{{"dkms_tree", &l.DKMSTree}, {"source_tree", &l.Source}, {"install_tree", &l.Install}} {
		value := as.Literal(v.name)
		switch {
		case !as.Followed(v.name):
			troubles = append(troubles, fmt.Sprintf("%s sets %s in a way that only a shell can evaluate; using %s", file, v.name, *v.place))
		case value == "":
		case !filepath.IsAbs(value) || strings.Contains(value, "\n"):
			troubles = append(troubles, fmt.Sprintf("%s sets %s to %q, which is not an absolute path; using %s", file, v.name, value, *v.place))
		default:
			*v.place = filepath.Clean(value)
		}
	}
	if as.Opaque() && len(troubles) == 0 {
		troubles = append(troubles, fmt.Sprintf("%s contains commands that only a shell can evaluate; using %s, %s and %s", file, l.DKMSTree, l.Source, l.Install))
	}
	return troubles
}

// setting returns the value to which a file sets a variable, and reports whether it is known and the
// file sets it. An empty value undoes that of an earlier file, as in dkms (safe_source).
func setting(as shvars.Assignments, name string) (value string, set bool) {
	value, known := as.Value(name)
	return value, known && as.Assigned(name)
}

// applyPostTransaction follows post_transaction. A command that only a shell can find out is
// left to dkms, which runs it after each module that it installs.
func (l *Layout) applyPostTransaction(as shvars.Assignments) {
	command, known := as.ForKernel("post_transaction", "x")
	switch {
	case !known:
		l.DKMSInstalls, l.PostTransaction, l.TransactionByDKMS = true, nil, true
	case command != "":
		l.TransactionByDKMS = false
		l.PostTransaction = func(k Release) string {
			command, _ := as.ForKernel("post_transaction", string(k))
			return command
		}
	case as.Assigned("post_transaction"):
		l.PostTransaction, l.TransactionByDKMS = nil, false
	}
}

// RealTree returns the path of the DKMS tree without symbolic links, or "" if there is none in
// its path.
func (l Layout) RealTree() string {
	if real, err := filepath.EvalSymlinks(l.TreePath()); err == nil && real != l.TreePath() {
		return real
	}
	return ""
}

// TreePath returns the path of the DKMS tree. Like KernelDir, PlaceDir, ModuleDir and
// VersionDir it returns a path outside the root, with links resolved.
func (l Layout) TreePath() string { return l.NoFollow().Inside(l.DKMSTree) }

func (l Layout) KernelDir(k Release) string {
	return l.NoFollow().Inside(filepath.Join(l.Install, string(k)))
}

// PlaceDir returns the path of a directory below that of a kernel.
func (l Layout) PlaceDir(k Release, dir string) string {
	return l.NoFollow().Inside(filepath.Join(l.Install, string(k), dir))
}

func (l Layout) ModuleDir(name string) string {
	return l.NoFollow().Inside(filepath.Join(l.DKMSTree, name))
}

func (l Layout) VersionDir(m Module) string {
	return l.NoFollow().Inside(filepath.Join(l.DKMSTree, m.Name, m.Version))
}

// PackagedSource returns where a package has the source of a module, as a path of the system.
func (l Layout) PackagedSource(m Module) string {
	return filepath.Join(l.Source, m.Name+"-"+m.Version)
}

// HeadersDir returns the directory of a kernel's headers: what its build link names.
func (l Layout) HeadersDir(kernel Release) string {
	return l.inRoot(filepath.Join(l.KernelDir(kernel), "build"))
}

// KernelThere reports whether a kernel has modules of its own, or the lists of modules that
// even a kernel without modules has. Headers that are unpacked before their kernel create a
// directory that contains only a link, which is not enough. For the running kernel a directory
// is enough.
func (l Layout) KernelThere(k Release) bool {
	return l.ModulesThere(k) || k == l.Running && Exists(l.KernelDir(k)) || AnyExists(l.KernelDir(k), "modules.order", "modules.builtin")
}

// ModulesThere reports whether a kernel has modules of its own. Modules that dkms installed
// among them do not count: they stay when somebody else removes the kernel.
func (l Layout) ModulesThere(k Release) bool {
	dir := l.KernelDir(k)
	return AnyExists(dir, "kernel") && (AnyExists(dir, "modules.order", "modules.builtin") || !l.onlyDKMSModules(k))
}

// OnlyDirectories reports whether a kernel has no file below kernel/ and no list of its modules. That
// is what a removal leaves: dpkg keeps a directory in which a module of dkms is. It is no proof, since
// an image may contain all modules.
func (l Layout) OnlyDirectories(k Release) bool {
	if AnyExists(l.KernelDir(k), "modules.order", "modules.builtin") {
		return false
	}
	return filepath.WalkDir(l.PlaceDir(k, "kernel"), func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			err = fs.ErrExist
		}
		return err
	}) == nil
}

// onlyDKMSModules reports whether there are files below kernel/ of a kernel, and dkms installed
// all of them.
func (l Layout) onlyDKMSModules(k Release) bool {
	names, found := map[string]bool{}, false
	err := filepath.WalkDir(l.PlaceDir(k, "kernel"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !found {
			names, found = l.builtNames(k), true
		}
		if !names[kmod.TrimSuffix(entry.Name())] {
			return fs.ErrExist
		}
		return nil
	})
	return found && err == nil
}

// builtNames returns the names of all module files that dkms built for a kernel, without .ko.
func (l Layout) builtNames(k Release) map[string]bool {
	names := map[string]bool{}
	for _, m := range l.VersionsWith(string(k)) {
		for _, arch := range DirNames(filepath.Join(l.VersionDir(m), string(k))) {
			for _, file := range fileNames(filepath.Join(l.BuildDir(m, k, arch), "module")) {
				names[kmod.TrimSuffix(file)] = true
			}
		}
	}
	return names
}

// InstalledPath returns the path of a file in the directory in which only dkms installs
// modules.
func InstalledPath(kernel Release, name string) string {
	return filepath.Join("/lib/modules", string(kernel), InstalledUnder, name)
}

// runningKernel returns `uname -r`, or "" for another root than that of the running system.
func runningKernel(root string) Release {
	var name unix.Utsname
	if root != "/" || unix.Uname(&name) != nil {
		return ""
	}
	kernel, _ := ParseRelease(unix.ByteSliceToString(name.Release[:]))
	return kernel
}

// StateDir is the directory for the files of dkms-hooks.
const StateDir = "/var/lib/dkms-hooks"
