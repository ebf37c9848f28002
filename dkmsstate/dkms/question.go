package dkms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dkms-hooks/dkmsstate"
)

// Constants of a question to dkms.
const (
	// noSuchModule is a dependency that is never met, so that dkms autoinstall prints which
	// modules it would install and does nothing else.
	noSuchModule = "dkms-hooks-question"
	// questionLimit bounds one question. dkms only reads a file, but reading it may never end.
	questionLimit = time.Minute
)

// AskAutoinstall asks dkms whether it would install a module of a tree unasked. dkms reads
// dkms.conf and its overrides as always. A dependency that --directive adds to those of the
// module keeps dkms autoinstall from building anything, so that it prints all of them (2.8.4,
// 3.0.10, 3.2.2).
func (d DKMS) AskAutoinstall(ctx context.Context, tree string, m dkmsstate.Module, kernel dkmsstate.Release, arch string) (dkmsstate.Answer, error) {
	d.Tree, d.Timeout = tree, min(d.Timeout, questionLimit)
	var out tail
	err := d.dkms(ctx, &out, "autoinstall", "-k", string(kernel), "-a", arch, "--directive", "BUILD_DEPENDS+= "+noSuchModule)
	return readAnswer(m, out.String(), err)
}

// readAnswer parses the output of dkms autoinstall about a module. err is how dkms ended.
func readAnswer(m dkmsstate.Module, output string, err error) (dkmsstate.Answer, error) {
	for line := range strings.Lines(output) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), m.String()+" autoinstall failed due to missing dependencies: ")
		words := strings.Fields(strings.TrimSuffix(list, ".")) // 3.2 ends the line with a full stop
		if ok && slices.Contains(words, noSuchModule) {        // exit status 11, and 0 of dkms 2.8.4
			answer := dkmsstate.Answer{Wanted: true}
			for _, word := range words {
				if word != noSuchModule {
					answer.Needs = append(answer.Needs, word)
				}
			}
			return answer, nil
		}
	}
	var call *CallError
	switch {
	case err == nil && strings.Contains(output, "\nDIRECTIVE: BUILD_DEPENDS+="):
		return dkmsstate.Answer{}, nil
	case err == nil:
		return dkmsstate.Answer{}, fmt.Errorf("dkms autoinstall does not mention %s", m)
	case errors.As(err, &call) && call.Code == badConf:
		return dkmsstate.Answer{}, fmt.Errorf("dkms cannot use its dkms.conf: %w", ExplainByLog(err, ""))
	}
	return dkmsstate.Answer{}, ExplainByLog(err, "")
}

// badConf is the exit status of dkms for a dkms.conf that lacks a required setting
// (read_conf_or_die).
const badConf = 8
