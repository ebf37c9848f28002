package dkmsstate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// statements follows what the statements of a shell file do to its variables. What is
// not known to be harmless makes the file opaque: dkms is asked then, so that a doubt
// costs a moment and never a module.
type statements struct {
	out *Assignments
	// functions are the names of those that the file declares.
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

// onlyAssigns returns the assignments of a statement that does nothing else.
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

// plainDeclaration reports whether a declaration only assigns: options give variables
// other properties, down to one being another's name (declare -n).
func plainDeclaration(d *syntax.DeclClause) bool {
	return slices.Contains([]string{"export", "declare", "typeset"}, d.Variant.Value) &&
		!slices.ContainsFunc(d.Args, func(a *syntax.Assign) bool { return a.Name == nil })
}

// partsOf returns what is expanded for an assignment.
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

// special reports whether a variable decides how dkms reads the others (safe_source):
// it evaluates DKMS_DIRECTIVE…, and what is read-only there ends the reading.
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

// inside follows what is executed under a condition, or expanded.
func (s statements) inside(node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case nil, *syntax.Comment, *syntax.Stmt, *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.BinaryCmd, *syntax.CaseClause,
			*syntax.CaseItem, *syntax.UnaryTest, *syntax.ParenTest, *syntax.TestClause, *syntax.ForClause,
			*syntax.Word, *syntax.Lit, *syntax.SglQuoted, *syntax.DblQuoted, *syntax.ExtGlob, *syntax.ArrayExpr, *syntax.ArrayElem:
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.FuncDecl:
			return false // sets nothing here; a function does when it is called
		case *syntax.Assign:
			s.mayAssign(n)
		case *syntax.WordIter:
			s.out.forget(n.Name.Value)
		case *syntax.DeclClause:
			s.out.opaque = s.out.opaque || !plainDeclaration(n)
		case *syntax.CallExpr:
			s.call(n)
		case *syntax.ParamExp:
			s.expand(n)
		case *syntax.BinaryTest:
			s.out.opaque = s.out.opaque || isArithmetic(n.Op)
		case *syntax.Redirect: // {NAME}>FILE sets NAME
			s.out.opaque = s.out.opaque || n.N != nil && strings.HasPrefix(n.N.Value, "{")
		default: // arithmetic, coproc, time, let and what is not known here
			s.out.opaque = true
		}
		return !s.out.opaque
	})
}

func (s statements) mayAssign(a *syntax.Assign) {
	switch {
	case a.Name == nil, s.special(a.Name.Value):
		s.out.opaque = true
	case !a.Naked:
		s.out.forget(a.Name.Value)
	}
}

// isArithmetic reports whether the operands of [[ are expressions, which can assign.
func isArithmetic(op syntax.BinTestOperator) bool {
	return slices.Contains([]syntax.BinTestOperator{syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr}, op)
}

// expand follows ${…}: := assigns, :? may end the shell, and what takes an expression
// or a name that is in another variable can do anything.
func (s statements) expand(p *syntax.ParamExp) {
	if index, ok := p.Index.(*syntax.Word); p.Index != nil && (!ok || !plainIndex(index)) || p.Excl || p.Slice != nil {
		s.out.opaque = true
		return
	}
	if p.Exp == nil {
		return
	}
	switch p.Exp.Op {
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		s.out.forget(p.Param.Value)
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull, syntax.OtherParamOps:
		s.out.opaque = true
	}
}

func plainIndex(w *syntax.Word) bool {
	_, number := arrayIndex(w)
	return number || slices.Contains([]string{"@", "*"}, w.Lit())
}

// call follows a command. dkms sources its files in its own shell, where a name may
// be a function of dkms, so that only those are harmless that are known to be.
func (s statements) call(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		return
	}
	name := c.Args[0].Lit()
	args := c.Args[1:]
	switch {
	case name == "" || s.functions[name]:
		s.out.opaque = true
	case name == "unset":
		s.unset(args)
	case name == "printf" && len(args) > 0: // -v NAME
		s.out.opaque = s.out.opaque || args[0].Lit() == "" || strings.HasPrefix(args[0].Lit(), "-")
	case name == "command" && len(args) > 0: // -v and -V only look a command up
		s.out.opaque = s.out.opaque || !slices.Contains([]string{"-v", "-V"}, args[0].Lit())
	default:
		s.out.opaque = s.out.opaque || !slices.Contains(harmless(), name)
	}
}

func (s statements) unset(args []*syntax.Word) {
	for _, arg := range args {
		name := arg.Lit()
		if name == "" || !syntax.ValidName(name) {
			s.out.opaque = true
			return
		}
		s.out.forget(name)
	}
}

// harmless are commands that set no variable and end nothing.
func harmless() []string {
	return strings.Fields(`: [ test true false echo printf pwd type
		awk cat cc cp cut date depmod dirname basename dpkg dpkg-query egrep expr fgrep find gcc getconf grep head id
		ln logger ls lsb_release lsmod make mkdir mktemp modinfo modprobe nproc readlink realpath rm sed sleep sort stat
		tail tee touch tr uname wc which`)
}
