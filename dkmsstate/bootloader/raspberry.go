package bootloader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"dkms-hooks/dkmsstate"
	"dkms-hooks/dkmsstate/regular"
)

// raspberryConfig returns the path of the configuration of a Raspberry Pi's firmware, "" if the
// machine is not one.
func (m Machine) raspberryConfig() string {
	if model := m.boardModel(); m.Booted && !strings.HasPrefix(model, "Raspberry Pi") {
		return ""
	}
	for _, config := range m.existing("/boot/firmware/config.txt", "/boot/config.txt") {
		for _, pattern := range []string{"start*.elf", "bcm27*.dtb", "kernel*.img"} {
			if found, _ := filepath.Glob(path.Join(m.inside(path.Dir(config)), pattern)); len(found) > 0 {
				return config
			}
		}
	}
	return ""
}

// boardModel returns the model of the board that the system runs on, "" if it is not known.
func (m Machine) boardModel() string {
	if !m.Booted {
		return ""
	}
	data, _ := regular.ReadAtMost(m.inside("/sys/firmware/devicetree/base/model"), maxConfig)
	return strings.TrimRight(string(data), "\x00\n")
}

// raspberry returns the kernel that the firmware of a Raspberry Pi starts.
func (m Machine) raspberry() Choice {
	config := m.raspberryConfig()
	dir := path.Dir(config)
	if m.exists(path.Join(dir, "autoboot.txt")) {
		return unknown(raspberryName, path.Join(dir, "autoboot.txt")+" selects a partition, which is not supported")
	}
	data, err := m.read(config)
	if err != nil {
		return unknown(raspberryName, err.Error())
	}
	set, err := parseRaspberry(string(data), m.boardModel())
	if err != nil {
		return unknown(raspberryName, fmt.Sprintf("cannot evaluate %s: %v", config, err))
	}
	name, reason, err := set.image(m.boardModel(), m.exists(path.Join(dir, set["os_prefix"].text+"kernel_2712.img")))
	if err != nil {
		return unknown(raspberryName, fmt.Sprintf("%s: %v", config, err))
	}
	image := path.Join(dir, set["os_prefix"].text+name)
	c := Choice{Certainty: Decided, Loader: raspberryName, Source: config, Entry: image, Reason: reason}
	if c.Kernel, err = m.releaseOfCopy(image); err != nil {
		return unknown(raspberryName, fmt.Sprintf("%s: %v", reason, err))
	}
	cmdline := "cmdline.txt"
	if v, is := set["cmdline"]; is && v.known {
		cmdline = v.text
	}
	text, _ := m.readIfThere(path.Join(dir, set["os_prefix"].text+cmdline))
	c.Cmdline = strings.TrimSpace(string(text)) // the firmware adds arguments of its own
	if name, known := set.initramfs(name); known && name == "" {
		c.InitrdKnown = true
	} else if known {
		c.Initrd, c.InitrdKnown = m.onPartition(dir, []string{set["os_prefix"].text + name})
	}
	return c
}

// initramfs returns the name of the file of the initramfs, "" for none, and whether it is known.
// With auto_initramfs the name follows from that of the image: kernel_2712.img has initramfs_2712.
func (set raspberrySettings) initramfs(image string) (name string, known bool) {
	if _, other := set["ramfsfile"]; other {
		return "", false
	}
	named, isNamed := set[initramfsKey]
	auto, isAuto := set["auto_initramfs"]
	switch {
	case isNamed:
		return named.text, named.known
	case isAuto && !auto.known:
		return "", false
	case auto.text != "1":
		return "", true
	}
	rest, ok := strings.CutPrefix(strings.TrimSuffix(image, path.Ext(image)), "kernel")
	return "initramfs" + rest, ok
}

// initramfsKey is the key of the only setting that has no "=": "initramfs FILE ADDRESS".
const initramfsKey = "initramfs"

// raspberrySettings are the settings of config.txt that apply to the board. One whose value is
// not known depends on something that cannot be read.
type raspberrySettings map[string]grubValue

// parseRaspberry returns the settings of config.txt for a model of the board, "" if that is not
// known.
func parseRaspberry(text, model string) (raspberrySettings, error) {
	set := raspberrySettings{}
	filters := map[string]truth{}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if section, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(section, "]")
			kind, holds := raspberryFilter(strings.ToLower(section), model)
			if kind == "all" {
				clear(filters)
				continue
			}
			filters[kind] = holds
			continue
		}
		if strings.HasPrefix(line, "include ") {
			return nil, fmt.Errorf("%q is not supported", line)
		}
		key, value, ok := strings.Cut(line, "=")
		if words := strings.Fields(line); len(words) > 1 && words[0] == initramfsKey {
			key, value, ok = initramfsKey, words[1], true
		}
		applies := yes
		for _, holds := range filters {
			applies = and(applies, holds)
		}
		switch key = strings.TrimSpace(key); {
		case !ok || applies == no:
		case applies == yes:
			set[key] = grubValue{text: strings.TrimSpace(value), known: true}
		case !set[key].known || set[key].text != strings.TrimSpace(value):
			set[key] = grubValue{}
		}
	}
	return set, nil
}

// raspberryFilter returns the kind of a section's condition, and whether it holds. Conditions of
// a kind replace each other.
func raspberryFilter(section, model string) (string, truth) {
	models := map[string]string{"pi1": "Raspberry Pi Model", "pi2": "Raspberry Pi 2", "pi3": "Raspberry Pi 3|Compute Module 3", "pi4": "Raspberry Pi 4|Compute Module 4",
		"pi400": "Raspberry Pi 400", "cm4": "Compute Module 4", "pi5": "Raspberry Pi 5|Compute Module 5", "pi500": "Raspberry Pi 500", "cm5": "Compute Module 5",
		"pi0": "Raspberry Pi Zero", "pi02": "Raspberry Pi Zero 2"}
	names, known := models[section]
	switch {
	case section == "all":
		return "all", yes
	case section == "none":
		return "none", no
	case section == "tryboot": // only after `reboot "0 tryboot"`
		return section, no
	case !known && (strings.HasPrefix(section, "pi") || strings.HasPrefix(section, "cm")), known && model == "":
		return "model", maybe
	case known:
		for name := range strings.SplitSeq(names, "|") {
			if strings.Contains(model, name) {
				return "model", yes
			}
		}
		return "model", no
	}
	return section, maybe
}

// image returns the name of the kernel's file and what selects it: a setting, or else the board
// (Raspberry Pi documentation, config.txt).
func (set raspberrySettings) image(model string, has2712 bool) (name, reason string, err error) {
	for _, key := range []string{"kernel", "os_prefix", "arm_64bit"} {
		if v, is := set[key]; is && !v.known {
			return "", "", fmt.Errorf("%s depends on a condition that is not known", key)
		}
	}
	if v := set["kernel"]; v.text != "" {
		return v.text, "kernel= in config.txt is " + v.text, nil
	}
	is := func(section string) bool { _, holds := raspberryFilter(section, model); return holds == yes }
	wide := set["arm_64bit"].text
	switch {
	case is("pi5") && has2712:
		name = "kernel_2712.img"
	case is("pi5"), is("pi4") && wide != "0", (is("pi3") || is("pi02")) && wide == "1":
		name = "kernel8.img"
	case is("pi4"):
		name = "kernel7l.img"
	case is("pi3"), is("pi2"), is("pi02"):
		name = "kernel7.img"
	case is("pi0"), is("pi1"):
		name = "kernel.img"
	default:
		return "", "", errors.New("the model of the board, which selects the kernel, is not known")
	}
	return name, "a " + model + " starts " + name, nil
}

// releaseOfCopy returns the release of an image on the firmware's partition: that in its name,
// or that of the image in /boot of which it is a copy.
func (m Machine) releaseOfCopy(image string) (dkmsstate.Release, error) {
	if !m.exists(image) {
		return "", fmt.Errorf("%s does not exist", image)
	}
	if k := releaseInName(image); k != "" {
		return m.releaseOf(image)
	}
	names, err := m.names("/boot")
	if err != nil {
		return "", err
	}
	var found dkmsstate.Release
	for _, name := range names {
		k := releaseInName(name)
		if k == "" || !m.sameContents(image, path.Join("/boot", name)) {
			continue
		}
		if found != "" && found != k {
			return "", fmt.Errorf("%s is a copy of the kernels %s and %s", image, found, k)
		}
		found = k
	}
	if found == "" {
		return "", fmt.Errorf("%s is not a copy of any image in /boot", image)
	}
	return found, nil
}

// sameContents reports whether two images have the same size and the same contents. It compares
// samples: images are compressed, so that two of them differ everywhere behind the first
// difference.
func (m Machine) sameContents(a, b string) bool {
	first, err := regular.Open(m.inside(a))
	if err != nil {
		return false
	}
	defer first.Close()
	second, err := regular.Open(m.inside(b))
	if err != nil {
		return false
	}
	defer second.Close()
	length := sizeOf(first)
	if length <= 0 || length != sizeOf(second) {
		return false
	}
	const sample, samples = 4096, 64
	step := max(length/samples, sample)
	for at := int64(0); at < length+step; at += step {
		start := max(min(at, length-sample), 0)
		if !sameAt(first, second, start, sample) {
			return false
		}
	}
	return true
}

// sameAt reports whether two files have the same contents at a place.
func sameAt(a, b io.ReaderAt, at int64, length int) bool {
	x, y := make([]byte, length), make([]byte, length)
	n, err := a.ReadAt(x, at)
	k, err2 := b.ReadAt(y, at)
	for _, err := range []error{err, err2} {
		if err != nil && !errors.Is(err, io.EOF) {
			return false
		}
	}
	return n == k && bytes.Equal(x[:n], y[:k])
}

// sizeOf returns the size of a file, -1 if it has none.
func sizeOf(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return -1
	}
	return info.Size()
}
