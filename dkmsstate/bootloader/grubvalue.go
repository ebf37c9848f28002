package bootloader

import (
	"slices"
	"strings"
)

// truth is what is known about a condition.
type truth int

const (
	maybe truth = iota
	yes
	no
)

func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return maybe
}

func truthOf(holds bool) truth {
	if holds {
		return yes
	}
	return no
}

// grubValue is the value of a variable. One that is not known can have any value.
type grubValue struct {
	text  string
	known bool
	// from is the file and the variable in it that the value was read from, "" if the script has
	// it.
	from string
	// either are the values that one that is not known can have, nil if these are not known
	// either.
	either []string
}

// alternatives returns the values that one of two values can have, nil if these are not known or
// many.
func alternatives(values ...grubValue) []string {
	const most = 8
	var all []string
	for _, v := range values {
		switch {
		case v.known:
			all = append(all, v.text)
		case v.either == nil:
			return nil
		}
		all = append(all, v.either...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > most {
		return nil
	}
	return all
}

// expand returns the words of a command with the values of their variables. A variable without
// quotes is split into words.
func (r *grubRun) expand(words []grubWord) []grubValue {
	var args []grubValue
	for _, word := range words {
		v := grubValue{known: true}
		started := false
		for _, part := range word {
			add := grubValue{text: part.text, known: true}
			if part.variable {
				add = r.value(part.text)
				if !add.known {
					add.text = "$" + part.text
				}
			}
			if part.variable && !part.quoted && add.known {
				fields := strings.FieldsFunc(add.text, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' })
				if len(fields) == 0 {
					continue
				}
				for _, field := range fields[:len(fields)-1] {
					args = append(args, v.with(grubValue{text: field, known: true, from: add.from}))
					v = grubValue{known: true}
				}
				add.text = fields[len(fields)-1]
			}
			v, started = v.with(add), true
		}
		if started {
			args = append(args, v)
		}
	}
	return args
}

// maxGrubValue bounds the length of a value. A longer one is not known.
const maxGrubValue = 64 << 10

// with returns a value with another one behind it.
func (v grubValue) with(w grubValue) grubValue {
	if w.from == "" {
		w.from = v.from
	}
	if len(v.text)+len(w.text) > maxGrubValue {
		return grubValue{}
	}
	sum := grubValue{text: v.text + w.text, known: v.known && w.known, from: w.from}
	if v.known && v.text == "" {
		sum.either = w.either
	}
	return sum
}
