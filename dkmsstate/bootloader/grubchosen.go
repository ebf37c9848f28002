package bootloader

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The orders in which versions of GRUB look for an entry.
const (
	// number takes a value that begins with digits as a number (GRUB 2.12, Debian).
	number = iota
	// identifier takes it as a number only if no entry has it as its identifier or title
	// (Fedora).
	identifier
)

// orders returns the orders that have to agree. Fedora's GRUB is known by its directory and by
// blscfg.
func (r *grubRun) orders(dir string) []int {
	switch patched := path.Base(dir) == "grub2"; {
	case patched && r.specified:
		return []int{identifier}
	case !patched && !r.specified:
		return []int{number}
	}
	return []int{number, identifier}
}

// chosen returns the entry that the value of default selects, behind the submenus that contain
// it. In a submenu that is the end of the value, GRUB starts the first entry.
func (r *grubRun) chosen(value string, orders []int) ([]grubEntry, error) {
	const deepest = 20
	var chain []grubEntry
	for menu := r; ; {
		name, rest, more := cutPath(value)
		i, err := menu.agreed(name, orders)
		if _, isNumber := leadingNumber(name); isNumber && more && slices.Contains(orders, identifier) {
			err = errors.New("versions of GRUB differ in which entry that is")
		}
		if err != nil {
			return nil, err
		}
		e := menu.menu[i]
		chain = append(chain, e)
		switch {
		case !e.submenu:
			return chain, nil
		case !more && slices.Contains(orders, identifier):
			return nil, fmt.Errorf("versions of GRUB differ in which entry of the submenu %q that is", e.title)
		case len(chain) > deepest:
			return nil, errors.New("submenus are nested too deep")
		}
		inner := menu.inside(e)
		inner.env["default"] = grubValue{text: rest, known: true} // the commands of the submenu may set it
		if err := inner.call(e.body, e.args); err != nil {
			return nil, fmt.Errorf("the submenu %q: %w", e.title, err)
		}
		next := inner.value("default")
		if !next.known {
			return nil, fmt.Errorf("what sets the default of the submenu %q cannot be determined", e.title)
		}
		menu, value = inner, next.text
	}
}

// cutPath cuts a path of entries at its first ">". ">>" is the character itself.
func cutPath(value string) (name, rest string, found bool) {
	var text strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '>' {
			text.WriteByte(value[i])
			continue
		}
		if i+1 < len(value) && value[i+1] == '>' {
			i++
			text.WriteByte('>')
			continue
		}
		return text.String(), value[i+1:], i+1 < len(value)
	}
	return text.String(), "", false
}

// agreed returns the index of the entry on which the orders agree.
func (r *grubRun) agreed(name string, orders []int) (int, error) {
	found := -1
	for _, order := range orders {
		i, err := r.index(name, order)
		if err == nil && found >= 0 && i != found {
			err = errors.New("versions of GRUB differ in which entry that is")
		}
		if err != nil {
			return 0, err
		}
		found = i
	}
	return found, nil
}

// index returns the index of the entry that a name selects: a number, a title or an identifier.
// GRUB takes the first entry if none matches (grub-core/normal/menu.c).
func (r *grubRun) index(name string, order int) (int, error) {
	n, isNumber := leadingNumber(name)
	match := slices.IndexFunc(r.menu, func(e grubEntry) bool { return e.title == name || e.id == name })
	switch {
	case len(r.menu) == 0:
		return 0, errors.New("the menu has no entries")
	case isNumber && (order == number || match < 0):
		if n >= len(r.menu) {
			n = 0
		}
		if slices.ContainsFunc(r.menu[:n+1], func(e grubEntry) bool { return !e.certain }) {
			return 0, fmt.Errorf("a condition that is not known decides whether the entry %q is there", r.menu[n].title)
		}
		return n, nil
	case match < 0:
		match = 0
	}
	if !r.menu[match].certain {
		return 0, fmt.Errorf("a condition that is not known decides whether the entry %q is there", r.menu[match].title)
	}
	return match, nil
}

// leadingNumber returns the number that a text begins with, as strtoul(3) with base 0 does. It
// reports false without one.
func leadingNumber(text string) (int, bool) {
	text = strings.TrimLeft(text, " \t\n")
	base := 10
	switch {
	case strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X"):
		base, text = 16, text[2:]
	case len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '7':
		base = 8
	}
	n := 0
	for n < len(text) {
		if _, err := strconv.ParseUint(text[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	if n == 0 {
		return 0, false
	}
	value, err := strconv.ParseInt(text[:n], base, 32)
	if err != nil {
		return int(^uint32(0) >> 1), true
	}
	return int(value), true
}
