package kmod

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"dkms-hooks/dkmsstate/regular"
)

// Export is a symbol that a kernel exports.
type Export struct {
	CRC uint32
	// By is the module that exports the symbol, "vmlinux" for the kernel image.
	By string
}

// ReadSymvers reads the Module.symvers of a kernel's headers and returns the exported symbols
// by name. A line is "0xCRC SYMBOL MODULE TYPE [NAMESPACE]", separated by tabs. Other lines are
// skipped.
func ReadSymvers(path string) (map[string]Export, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kernel's symbols: %w", err)
	}
	defer file.Close()
	out, modules := map[string]Export{}, map[string]string{}
	bounded := &io.LimitedReader{R: file, N: regular.MaxSize + 1}
	lines := bufio.NewScanner(bounded)
	for lines.Scan() {
		crc, rest, _ := bytes.Cut(lines.Bytes(), []byte("\t"))
		symbol, rest, ok := bytes.Cut(rest, []byte("\t"))
		value, err := strconv.ParseUint(strings.TrimPrefix(string(crc), "0x"), 16, 32)
		if !ok || err != nil {
			continue
		}
		by, _, _ := bytes.Cut(rest, []byte("\t"))
		if _, known := modules[string(by)]; !known {
			modules[string(by)] = string(by)
		}
		out[string(symbol)] = Export{uint32(value), modules[string(by)]} // all symbols of a module share one string
	}
	if bounded.N == 0 {
		return nil, fmt.Errorf("cannot read the kernel's symbols: %s is larger than %d bytes", path, regular.MaxSize)
	}
	return out, lines.Err()
}

// ModuleLayout is the symbol that every module uses.
const ModuleLayout = "module_layout"

// CRCMismatch returns a symbol that both sides have with different CRCs, or "" if there is
// none. It returns module_layout, which every module uses, or else the first symbol by name.
func CRCMismatch(used, given map[string]uint32) string {
	if now, ok := given[ModuleLayout]; ok && used[ModuleLayout] != 0 && used[ModuleLayout] != now {
		return ModuleLayout
	}
	first := ""
	for symbol, crc := range used {
		if now, ok := given[symbol]; ok && now != crc && (first == "" || symbol < first) {
			first = symbol
		}
	}
	return first
}
