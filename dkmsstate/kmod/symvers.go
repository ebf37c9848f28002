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
	// By is the module that exports it, "vmlinux" for the image.
	By string
}

// ReadSymvers reads the symbols that a kernel exports from the Module.symvers of its
// headers: "0xCRC SYMBOL MODULE TYPE [NAMESPACE]" with tabs.
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
		out[string(symbol)] = Export{uint32(value), modules[string(by)]} // a name for all of a module
	}
	if bounded.N == 0 {
		return nil, fmt.Errorf("cannot read the kernel's symbols: %s has more than %d bytes", path, regular.MaxSize)
	}
	return out, lines.Err()
}

// ModuleLayout is the symbol that every module uses.
const ModuleLayout = "module_layout"

// CRCMismatch returns a symbol whose CRC two sides have and do not agree on, "" for none:
// module_layout, which every module uses, or else the first by name.
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
