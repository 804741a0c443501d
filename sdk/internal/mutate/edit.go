package mutate

import (
	"errors"
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// An Edit changes one place of the syntax tree of the module. It consists of:
//
//   - the function, method, variable or constant that contains it, preceded by the
//     names of its type and its package ("stream.Stream.Step") if it is ambiguous;
//   - the place: a kind, then names and literals that it contains, then "2/3" if it
//     is the second of three such places;
//   - the new text, in which $0 stands for the old text, $1, $2 … for its parts and
//     $f for the called function.
//
// The kinds are if, for and case (the place is the condition, the range expression or
// the list of the case), return, call (the first name is the function's, and the parts
// are the arguments), assign (the first name is on the left side, and the parts are
// both sides), field of a composite literal (the part is its value), and any binary
// operator, or ++ or --. "all" before the kind stands for the whole statement.
type Edit [3]string

// Apply makes the edits, one after the other, and returns the files they change.
func (t Tree) Apply(edits []Edit) (Tree, error) {
	changed := Tree{}
	for _, e := range edits {
		var places []place
		for path, text := range t {
			if changed[path] != nil {
				text = changed[path]
			}
			name := e[0][strings.LastIndexByte(e[0], '.')+1:]
			if !strings.Contains(string(text), name) {
				continue
			}
			file, err := Parse(path, text)
			if err != nil {
				return nil, err
			}
			for _, d := range file.Declarations() {
				if strings.HasSuffix("."+file.Name.Name+"."+d.Name, "."+e[0]) {
					places = append(places, place{File: file, node: d.Node})
				}
			}
		}
		if len(places) != 1 {
			return nil, fmt.Errorf("the module has %d of %s", len(places), e[0])
		}
		p, err := places[0].find(e[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e[0], err)
		}
		changed[p.Path] = p.replace(e[2])
	}
	return changed, nil
}

// A place is a part of a file with the subexpressions that a new text can use.
type place struct {
	*File
	node, last ast.Node // the first and the last node to replace
	statement  ast.Node
	called     ast.Expr
	parts      []string
}

// find returns the place that at describes.
func (p place) find(at string) (place, error) {
	words := strings.Fields(at)
	if len(words) == 0 {
		return place{}, errors.New("no place is named")
	}
	whole := len(words) > 1 && words[0] == "all"
	if whole {
		words = words[1:]
	}
	nth, of := 1, 1
	if n := len(words) - 1; n > 0 {
		if k, _ := fmt.Sscanf(words[n], "%d/%d", &nth, &of); k == 2 {
			words = words[:n]
		}
	}
	var found []place
	var stack []ast.Node
	ast.Inspect(p.node, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if q, ok := p.at(n, words[0], words[1:]); ok {
			for i := len(stack) - 1; q.statement == nil && i >= 0; i-- {
				if s, ok := stack[i].(ast.Stmt); ok {
					q.statement = s
				}
			}
			if whole {
				q.node, q.last = q.statement, q.statement
			}
			found = append(found, q)
		}
		return true
	})
	if len(found) != of || nth < 1 || nth > of {
		return place{}, fmt.Errorf("it has %d times, not %d: %s", len(found), of, at)
	}
	return found[nth-1], nil
}

// at reports whether n is a place of the kind and contains the names.
func (p place) at(n ast.Node, kind string, names []string) (place, bool) {
	q := place{File: p.File, node: n, last: n}
	within := n // contains the names
	part := func(nodes ...ast.Expr) {
		text := ""
		if len(nodes) > 0 {
			text = p.Source(nodes[0], nodes[len(nodes)-1])
		}
		q.parts = append(q.parts, text)
	}
	is, first := "", []ast.Expr(nil) // has the first name
	switch n := n.(type) {
	case *ast.IfStmt:
		is, q.node, q.last, within = "if", n.Cond, n.Cond, &ast.IfStmt{Init: n.Init, Cond: n.Cond, Body: &ast.BlockStmt{}}
		q.statement = n
	case *ast.ForStmt:
		is, q.node, q.last = "for", n.Cond, n.Cond
		within = &ast.ForStmt{Init: n.Init, Cond: n.Cond, Post: n.Post, Body: &ast.BlockStmt{}}
		q.statement = n
		if n.Cond == nil {
			return q, false
		}
	case *ast.RangeStmt:
		is, q.node, q.last, within = "for", n.X, n.X, n.X
		q.statement = n
	case *ast.CaseClause:
		if len(n.List) == 0 {
			return q, false
		}
		is, q.node, q.last = "case", n.List[0], n.List[len(n.List)-1]
		within = &ast.CaseClause{List: n.List}
		q.statement = n
	case *ast.ReturnStmt:
		is = "return"
		for _, r := range n.Results {
			part(r)
		}
	case *ast.CallExpr:
		is, first, q.called = "call", []ast.Expr{n.Fun}, n.Fun
		for _, a := range n.Args {
			part(a)
		}
	case *ast.AssignStmt:
		is, first = "assign", n.Lhs
		part(n.Lhs...)
		part(n.Rhs...)
	case *ast.KeyValueExpr:
		is, first = "field", []ast.Expr{n.Key}
		part(n.Value)
	case *ast.BinaryExpr:
		is = n.Op.String()
		part(n.X)
		part(n.Y)
	case *ast.IncDecStmt:
		is = n.Tok.String()
		part(n.X)
	}
	if is == kind && len(first) > 0 && len(names) > 0 {
		if !slices.ContainsFunc(first, func(e ast.Expr) bool { return lastName(e) == names[0] }) {
			return q, false
		}
		names = names[1:]
	}
	return q, is == kind && holds(within, names)
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return lastName(e.X)
	case *ast.StarExpr:
		return lastName(e.X)
	}
	return ""
}

// holds reports whether n contains all names as names or literals.
func holds(n ast.Node, names []string) bool {
	names = slices.Clone(names)
	ast.Inspect(n, func(n ast.Node) bool {
		name := ""
		switch n := n.(type) {
		case *ast.Ident:
			name = n.Name
		case *ast.BasicLit:
			name = n.Value
		}
		names = slices.DeleteFunc(names, func(x string) bool { return x == name })
		return true
	})
	return len(names) == 0
}

// replace returns the text of the file with the place replaced.
func (p place) replace(by string) []byte {
	pairs := []string{"$0", p.Source(p.node, p.last)}
	if p.called != nil {
		pairs = append(pairs, "$f", p.Source(p.called, p.called))
	}
	for i, part := range p.parts {
		pairs = append(pairs, fmt.Sprintf("$%d", i+1), part)
	}
	from, to := p.Offset(p.node.Pos()), p.Offset(p.last.End())
	return slices.Concat(p.Text[:from], []byte(strings.NewReplacer(pairs...).Replace(by)), p.Text[to:])
}
