package dkmsstate

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dkms-hooks/dkmsstate/shvars"
)

func TestReadLayout(t *testing.T) {
	tests := map[string]struct {
		main, more string
		want       string
		troubles   int
	}{
		"no file":           {"", "", "/var/lib/dkms", 0},
		"moved":             {"dkms_tree=\"/srv/dkms\"\n", "", "/srv/dkms", 0},
		"moved in .conf.d":  {"dkms_tree=/a\n", "dkms_tree='/b/'\n", "/b", 0},
		"commented":         {"# dkms_tree=/x\n", "", "/var/lib/dkms", 0},
		"clever":            {"dkms_tree=$HOME/dkms\n", "", "/var/lib/dkms", 1},
		"in a condition":    {"if true; then dkms_tree=/x; fi\n", "", "/var/lib/dkms", 1},
		"no absolute path":  {"dkms_tree=srv\n", "", "/var/lib/dkms", 1},
		"garbage":           {"if ((\n", "", "/var/lib/dkms", 1},
		"clever in another": {"dkms_tree=/a\n", "dkms_tree=`pwd`\n", "/a", 1},
		"Latin-1":           {"# M\xfcller\ndkms_tree=/a\n", "", "/a", 0},
		"opaque besides":    {"dkms_tree=/a\nset -e\n", "", "/a", 1},
		"opaque after":      {"dkms_tree=/a\n", ". /x\n", "/a", 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/dkms/framework.conf.d"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/dkms/framework.conf"), []byte(test.main), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/dkms/framework.conf.d/a.conf"), []byte(test.more), 0o644))
			l, troubles := ReadLayout(root)
			assert.Equal(t, test.want, l.DKMSTree)
			assert.Len(t, troubles, test.troubles, "%v", troubles)
		})
	}
}

func TestFrameworkConfIsHonoured(t *testing.T) {
	for name, row := range map[string]struct {
		dkms, main, more string
		post             string
		left, jobs       bool
	}{
		"nothing":                         {dkms31 + "post_transaction", "# post_transaction=\"\"\n", "", "", false, false},
		"a command":                       {dkms31 + "post_transaction", "post_transaction=\"/x $kernelver\"\n", "", "/x 6.1", false, false},
		"in single quotes":                {dkms31 + "post_transaction", "post_transaction='/x ${kernelver}-y'\n", "", "/x 6.1-y", false, false},
		"not the same variable":           {dkms31 + "post_transaction", "post_transaction='/x $kernelversion'\n", "", "", true, false},
		"only a shell knows":              {dkms31 + "post_transaction", "post_transaction=\"$(x)\"\n", "", "", true, false},
		"a command later":                 {dkms31 + "post_transaction", "post_transaction=\"$(x)\"\n", "post_transaction=/y\n", "/y", true, false},
		"another one later":               {dkms31 + "post_transaction", "post_transaction=/x\n", "post_transaction=/y\n", "/y", false, false},
		"none later":                      {dkms31 + "post_transaction", "post_transaction=/x\n", "post_transaction=\n", "", false, false},
		"the same later":                  {dkms31 + "post_transaction", "post_transaction=/x\n", "parallel_jobs=2\n", "/x", false, true},
		"unknown to that dkms":            {dkms30, "post_transaction=/x\n", "", "", false, false},
		"jobs, as many as it likes":       {dkms31, "parallel_jobs=0\n", "", "", false, false},
		"jobs, only a shell knows":        {dkms31, "parallel_jobs=$(nproc)\n", "", "", false, true},
		"jobs limited, and no more":       {dkms31, "parallel_jobs=2\n", "parallel_jobs=0\n", "", false, false},
		"jobs limited, and unset":         {dkms31, "parallel_jobs=2\n", "parallel_jobs=\n", "", false, false},
		"symbolic links instead of files": {dkms31, "symlink_modules=yes\n", "", "", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{"usr/sbin/dkms": row.dkms, "etc/dkms/framework.conf": row.main, "etc/dkms/framework.conf.d/a.conf": row.more} {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o755))
			}
			l, troubles := ReadLayout(root)
			assert.Empty(t, troubles)
			post := ""
			if l.PostTransaction != nil {
				post = l.PostTransaction("6.1")
			}
			assert.Equal(t, row.left && row.post == "" && row.main != "symlink_modules=yes\n", l.TransactionByDKMS)
			assert.Equal(t, []any{row.post, row.left, row.jobs}, []any{post, l.DKMSInstalls, l.LimitsJobs})
		})
	}
}

// A later file may set a variable to nothing, which is what dkms does without it. A dkms before 3.4 does
// not know try_sign_modules, and signs.
func TestAnEmptySettingUndoesAnEarlierOne(t *testing.T) {
	const main = "autoinstall_all_kernels=yes\ntry_sign_modules=false\nmok_signing_key=/k\nmok_certificate=/c\n"
	for name, row := range map[string]struct {
		dkms, more  string
		all, never  bool
		key, public string
	}{
		"nothing later": {dkms31 + "try_sign_modules", "", true, true, "/k", "/c"},
		"all of it": {dkms31 + "try_sign_modules", "autoinstall_all_kernels=\"\"\ntry_sign_modules=\nmok_signing_key=''\nmok_certificate=\n",
			false, false, "", ""},
		"one of them":          {dkms31 + "try_sign_modules", "autoinstall_all_kernels=\n", false, true, "/k", "/c"},
		"only a shell knows":   {dkms31 + "try_sign_modules", "autoinstall_all_kernels=$x\n", true, true, "/k", "/c"},
		"unknown to that dkms": {dkms31, "", true, false, "/k", "/c"},
		"no dkms":              {"", "", true, true, "/k", "/c"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{"usr/sbin/dkms": row.dkms, "etc/dkms/framework.conf": main, "etc/dkms/framework.conf.d/a.conf": row.more} {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o755))
			}
			l, troubles := ReadLayout(root)
			assert.Empty(t, troubles)
			assert.Equal(t, []any{row.all, row.never, row.key, row.public}, []any{l.AllKernels, l.NeverSigns, l.Key, l.Certificate})
		})
	}
}

// framework.conf and dkms.conf may contain anything. No text may have a worse effect than an
// error.
func FuzzConf(f *testing.F) {
	for _, seed := range []string{"dkms_tree=/x\n", "install_tree=lib\n", "A[1]=\"b\"\n", "if true; then A=1; fi", "source_tree=$(x)"} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "framework.conf")
	f.Fuzz(func(t *testing.T, text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		as, _, err := shvars.Assignments{}.Source(path)
		require.NoError(t, err)
		l := DefaultLayout("/")
		l.apply("fuzz", as)
		for _, path := range []string{l.DKMSTree, l.Source, l.Install} {
			assert.True(t, filepath.IsAbs(path), path)
		}
		newConf(as, "6.1.0", "x86_64")
	})
}
