package shvars

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// statements follows the effects of the statements of a shell file on its variables. Anything
// that is not known to be harmless makes the file opaque. dkms is asked then, so that a doubt
// costs a moment and never a module.
type statements struct {
	out *Assignments
	// functions are the names of the functions that the file declares.
	functions map[string]bool
}

func functionsOf(file *syntax.File) map[string]bool {
	names := map[string]bool{}
	syntax.Walk(file, func(n syntax.Node) bool {
		if f, ok := n.(*syntax.FuncDecl); ok {
			names[f.Name.Value] = true
		}
		return true
	})
	return names
}

// topLevel follows a statement that is always executed.
func (s statements) topLevel(stmt *syntax.Stmt) {
	assigns := onlyAssigns(stmt)
	if assigns == nil {
		s.inside(stmt)
		return
	}
	for _, a := range assigns {
		for _, part := range partsOf(a) {
			s.inside(part)
		}
		s.assign(a)
	}
}

// onlyAssigns returns the assignments of a statement that does nothing else, and nil for any
// other statement.
func onlyAssigns(stmt *syntax.Stmt) []*syntax.Assign {
	if stmt.Negated || stmt.Background || len(stmt.Redirs) > 0 {
		return nil
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) == 0 {
			return cmd.Assigns
		}
	case *syntax.DeclClause:
		if plainDeclaration(cmd) {
			return cmd.Args
		}
	}
	return nil
}

// plainDeclaration reports whether a declaration only assigns. Options give variables other
// properties, even that of being a reference to another variable (declare -n).
func plainDeclaration(d *syntax.DeclClause) bool {
	return slices.Contains([]string{"export", "declare", "typeset"}, d.Variant.Value) &&
		!slices.ContainsFunc(d.Args, func(a *syntax.Assign) bool { return a.Name == nil })
}

// partsOf returns the parts of an assignment that are expanded.
func partsOf(a *syntax.Assign) []syntax.Node {
	var parts []syntax.Node
	if a.Index != nil {
		parts = append(parts, a.Index)
	}
	if a.Value != nil {
		parts = append(parts, a.Value)
	}
	if a.Array != nil {
		parts = append(parts, a.Array)
	}
	return parts
}

func (s statements) assign(a *syntax.Assign) {
	name := a.Name.Value
	switch {
	case a.Naked:
	case s.special(name):
		s.out.opaque = true
	case a.Append:
		s.out.forget(name)
	case a.Array != nil:
		s.assignArray(name, a.Array)
	default:
		s.assignElement(name, a)
	}
}

// special reports whether a variable decides how dkms reads the others (safe_source). dkms
// evaluates DKMS_DIRECTIVE…, and assigning a variable that is read-only there ends the reading.
func (s statements) special(name string) bool {
	return strings.HasPrefix(name, "DKMS_DIRECTIVE") || slices.Contains([]string{"IFS", "CR", "export_envs"}, name)
}

func (s statements) assignElement(name string, a *syntax.Assign) {
	value, known := literal(a.Value)
	index := 0
	if a.Index != nil {
		word, ok := a.Index.(*syntax.Word)
		if ok {
			index, ok = arrayIndex(word)
		}
		if !ok {
			s.out.forget(name)
			return
		}
	}
	switch {
	case known:
		s.out.set(name, index, value)
	case index == 0:
		s.out.unknown[name] = true
	default:
		s.out.others[name] = true
	}
}

func (s statements) assignArray(name string, array *syntax.ArrayExpr) {
	delete(s.out.elements, name)
	delete(s.out.unknown, name)
	delete(s.out.others, name)
	for i, elem := range array.Elems {
		value, known := literal(elem.Value)
		if !known || elem.Index != nil || expandsToMany(elem.Value) {
			s.out.forget(name)
			return
		}
		s.out.set(name, i, value)
	}
}

func arrayIndex(w *syntax.Word) (int, bool) {
	text, known := literal(w)
	index, err := strconv.Atoi(text)
	return index, known && err == nil && fmt.Sprint(index) == text && index >= 0
}
