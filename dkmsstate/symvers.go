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

// differs gives a symbol whose CRC two sides have and do not agree on, "" for none:
// module_layout, which every module uses, or else the first by name.
func differs(used, given map[string]uint32) string {
	const layout = "module_layout"
	if now, ok := given[layout]; ok && used[layout] != 0 && used[layout] != now {
		return layout
	}
	first := ""
	for symbol, crc := range used {
		if now, ok := given[symbol]; ok && now != crc && (first == "" || symbol < first) {
			first = symbol
		}
	}
	return first
}
