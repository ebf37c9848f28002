package dkmsstate

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// headersDir is where a kernel's headers are: what its build link names.
func (l Layout) headersDir(kernel Release) string {
	return l.inRoot(filepath.Join(l.kernelDir(kernel), "build"))
}

// readSymvers reads the CRCs of the symbols that a kernel exports from the
// Module.symvers of its headers: "0xCRC SYMBOL MODULE TYPE [NAMESPACE]" with tabs.
func readSymvers(path string) (map[string]uint32, error) {
	data, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kernel's symbols: %w", err)
	}
	out := make(map[string]uint32, bytes.Count(data, []byte("\n")))
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		crc, rest, _ := strings.Cut(lines.Text(), "\t")
		symbol, _, ok := strings.Cut(rest, "\t")
		value, err := strconv.ParseUint(strings.TrimPrefix(crc, "0x"), 16, 32)
		if ok && err == nil {
			out[symbol] = uint32(value)
		}
	}
	return out, lines.Err()
}

// readExporters reads which module exports each symbol, "vmlinux" for the image, from
// Module.symvers.
func readExporters(path string) map[string]string {
	data, _ := readRegular(path)
	out := make(map[string]string, bytes.Count(data, []byte("\n")))
	for line := range strings.Lines(string(data)) {
		if fields := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(fields) >= 3 {
			out[fields[1]] = fields[2]
		}
	}
	return out
}

// moduleLayout is the symbol that every module uses.
const moduleLayout = "module_layout"

// differs gives a symbol whose CRC two sides have and do not agree on, "" for none:
// module_layout, which every module uses, or else the first by name.
func differs(used, given map[string]uint32) string {
	if now, ok := given[moduleLayout]; ok && used[moduleLayout] != 0 && used[moduleLayout] != now {
		return moduleLayout
	}
	first := ""
	for symbol, crc := range used {
		if now, ok := given[symbol]; ok && now != crc && (first == "" || symbol < first) {
			first = symbol
		}
	}
	return first
}
