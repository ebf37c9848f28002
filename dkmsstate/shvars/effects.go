package shvars

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// inside follows code that is executed under a condition, and expansions.
func (s statements) inside(node syntax.Node) {
	syntax.Walk(node, func(n syntax.Node) bool {
		switch n := n.(type) {
		case nil, *syntax.Comment, *syntax.Stmt, *syntax.Block, *syntax.IfClause, *syntax.WhileClause, *syntax.BinaryCmd, *syntax.CaseClause,
			*syntax.CaseItem, *syntax.UnaryTest, *syntax.ParenTest, *syntax.TestClause, *syntax.ForClause,
			*syntax.Word, *syntax.Lit, *syntax.SglQuoted, *syntax.DblQuoted, *syntax.ExtGlob, *syntax.ArrayExpr, *syntax.ArrayElem:
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst, *syntax.FuncDecl:
			return false // sets nothing here; a function does so when it is called
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
		default: // arithmetic, coproc, time, let, and everything that is unknown here
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
		if value, known := literal(a.Value); known && a.Array == nil && a.Index == nil {
			s.out.set(a.Name.Value, 0, value) // a possible value
		}
		s.out.forget(a.Name.Value)
	}
}

// isArithmetic reports whether the operands of a [[ operator are expressions, which can assign.
func isArithmetic(op syntax.BinTestOperator) bool {
	return slices.Contains([]syntax.BinTestOperator{syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr}, op)
}

// expand follows ${…}: := assigns, :? may end the shell, and an arithmetic expression or an
// indirect name can do anything.
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

// call follows a command. dkms sources its files in its own shell, where a name may be a
// function of dkms. Therefore only commands that are known to be harmless are treated as such.
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
	case name == "printf" && len(args) > 0: // -v NAME assigns
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

// harmless returns the commands that set no variable and do not end the shell.
func harmless() []string {
	return strings.Fields(`: [ test true false echo printf pwd type
		awk cat cc cp cut date depmod dirname basename dpkg dpkg-query egrep expr fgrep find gcc getconf grep head id
		ln logger ls lsb_release lsmod make mkdir mktemp modinfo modprobe nproc readlink realpath rm sed sleep sort stat
		tail tee touch tr uname wc which`)
}
