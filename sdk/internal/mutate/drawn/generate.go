package main

import (
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"xmpp-pam/sdk/internal/mutate"
)

// A Mutant is one small change of a file.
type Mutant struct {
	ID      string `json:"id"` // constant while the function keeps its name and the place its text
	Kind    string `json:"kind"`
	In      string `json:"in"`   // the function, variable or constant
	File    string `json:"file"` // below the root
	Line    int    `json:"line"`
	Outside bool   `json:"outside"` // outside functions, where no coverage is recorded
	Reach   int    `json:"-"`       // the line that is reached before it
	From    int    `json:"from"`    // the part that New replaces, as offsets
	To      int    `json:"to"`
	Old     string `json:"old"`
	New     string `json:"new"`
}

// generate returns all mutants of the Go files below the folders. It omits packages for
// tests, and programs without tests.
func generate(root string, tree mutate.Tree, folders []string) ([]Mutant, error) {
	var all []Mutant
	files := map[string]*mutate.File{}
	skipped := map[string]bool{}
	for path, text := range tree {
		file, err := mutate.Parse(path, text)
		if err != nil {
			return nil, err
		}
		files[path] = file
		dir := filepath.Dir(path)
		tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
		tool := file.Name.Name == "main" && len(tests) == 0
		for _, i := range file.Imports {
			tool = tool || i.Path.Value == `"testing"` || i.Path.Value == `"go/ast"`
		}
		skipped[dir] = skipped[dir] || tool
	}
	for path, file := range files {
		name, _ := filepath.Rel(root, path)
		top, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		if !slices.Contains(folders, top) || skipped[filepath.Dir(path)] {
			continue
		}
		for _, d := range file.Declarations() {
			g := generator{File: file, name: filepath.ToSlash(name), in: d.Name, reach: map[ast.Expr]int{}}
			_, function := d.Node.(*ast.FuncDecl)
			g.outside = !function
			ast.Inspect(d.Node, g.visit)
			all = append(all, g.found...)
		}
	}
	return all, nil
}

// identify gives mutants their IDs.
func identify(all []Mutant) {
	slices.SortFunc(all, func(a, b Mutant) int {
		return strings.Compare(fmt.Sprintf("%s %8d %s", a.File, a.From, a.New), fmt.Sprintf("%s %8d %s", b.File, b.From, b.New))
	})
	seen := map[string]int{}
	for i := range all {
		m := &all[i]
		text := strings.Join(strings.Fields(m.Old), " ")
		if len(text) > 80 {
			text = fmt.Sprintf("%s… %x", strings.ToValidUTF8(text[:60], ""), sha256.Sum256([]byte(text)))[:80]
		}
		m.ID = m.Kind + " " + m.In + ": " + text
		if seen[m.ID]++; seen[m.ID] > 1 {
			m.ID += fmt.Sprintf(" #%d", seen[m.ID])
		}
	}
}

// draw sorts mutants in an order that depends on the seed only: an added or removed one
// does not change the order of the others.
func draw(all []Mutant, seed string) {
	rank := func(m Mutant) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(seed+"\x00"+m.ID))) }
	slices.SortFunc(all, func(a, b Mutant) int { return strings.Compare(rank(a), rank(b)) })
}

// A generator finds the mutants of one declaration.
type generator struct {
	*mutate.File
	name, in string
	outside  bool
	cases    []ast.Expr       // of switches; coverage does not count them
	reach    map[ast.Expr]int // the lines of their switches
	found    []Mutant
}

func (g *generator) add(kind string, first, last ast.Node, by string) {
	old := g.Source(first, last)
	m := Mutant{Kind: kind, In: g.in, File: g.name, From: g.Offset(first.Pos()), To: g.Offset(last.End()), Old: old, New: by, Outside: g.outside}
	m.Line = g.Line(first.Pos())
	m.Reach = m.Line
	for _, e := range slices.Backward(g.cases) {
		if e.Pos() <= first.Pos() && first.Pos() < e.End() {
			m.Reach = g.reach[e]
			break
		}
	}
	g.found = append(g.found, m)
}

var boundary = map[token.Token]string{token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">"}

func (g *generator) visit(n ast.Node) bool {
	source := func(n ast.Node) string { return g.Source(n, n) }
	negate := func(e ast.Expr) { g.add("negate", e, e, "!("+source(e)+")") }
	switch n := n.(type) {
	case *ast.IfStmt:
		negate(n.Cond)
	case *ast.ForStmt:
		if n.Cond != nil {
			negate(n.Cond)
		}
	case *ast.SwitchStmt:
		for _, c := range n.Body.List {
			list := c.(*ast.CaseClause).List
			for _, e := range list {
				g.cases, g.reach[e] = append(g.cases, e), g.Line(n.Pos())
			}
			if n.Tag == nil && len(list) == 1 {
				negate(list[0])
			}
		}
	case *ast.BlockStmt:
		g.drop(n.List)
	case *ast.CaseClause:
		g.drop(n.Body)
	case *ast.CommClause:
		g.drop(n.Body)
	case *ast.BasicLit:
		if n.Kind == token.INT {
			g.add("off by one", n, n, "("+n.Value+" + 1)")
		}
	case *ast.BinaryExpr:
		if op := boundary[n.Op]; op != "" {
			g.add("boundary", n, n, source(n.X)+" "+op+" "+source(n.Y))
		}
	case *ast.CallExpr:
		if f := source(n.Fun); f == "min" || f == "max" {
			return true // in any order
		}
		for i := 1; i < len(n.Args); i++ {
			a, b := n.Args[i-1], n.Args[i]
			if simple(a) && simple(b) && source(a) != source(b) {
				g.add("swap", a, b, source(b)+", "+source(a))
			}
		}
	case *ast.ImportSpec, *ast.StructType, *ast.InterfaceType:
		return false
	}
	return true
}

// drop removes the effect of statements. The code still uses their names, so that it
// compiles.
func (g *generator) drop(list []ast.Stmt) {
	for _, n := range list {
		kind := ""
		switch n := n.(type) {
		case *ast.ExprStmt:
			if _, ok := n.X.(*ast.CallExpr); ok {
				kind = "drop call"
			}
		case *ast.DeferStmt:
			kind = "drop call"
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				kind = "drop assignment"
			}
		case *ast.IncDecStmt:
			kind = "drop assignment"
		}
		if kind != "" {
			g.add(kind, n, n, "if false { "+g.Source(n, n)+" }")
		}
	}
}

// simple reports whether e may have the type of its neighbour, which the compiler then
// checks.
func simple(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name != "nil" && e.Name != "ctx"
	case *ast.SelectorExpr, *ast.BasicLit, *ast.CallExpr, *ast.IndexExpr:
		return true
	}
	return false
}
