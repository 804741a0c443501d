package engine

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	maxFields = 20  // per part
	maxLines  = 300 // per file
)

// partOf maps each type to its part. Other types are plain values, which may belong
// to any part.
var partOf = map[string]string{
	"Engine":  "engine",
	"account": "account", "operation": "account", "refreshing": "account", "overlay": "account", "listing": "account", "hintLimit": "account",
	"events": "events", "discovery": "events",
	"seen":    "seen",
	"session": "session", "request": "session",
	"link": "link", "connection": "link", "connectWaiter": "link", "endpoints": "link", "frameLog": "link",
	"storage": "storage", "job": "storage", "durable": "storage", "remembered": "storage", "sessionWriter": "storage",
	"view": "view", "ignoreLog": "view",
	"loop": "loop", "timer": "loop", "deadline": "loop",
}

// below lists the parts that each part may call.
var below = map[string][]string{
	"engine":  {"events", "account", "seen", "session", "link", "storage", "view", "loop"},
	"events":  {"account", "seen", "session", "storage", "view", "loop"},
	"account": {"session", "storage", "view", "loop"},
	"seen":    {"session", "view", "loop"},
	"session": {"link", "view", "loop"},
	"link":    {"view", "loop"},
	"storage": {"view", "loop"},
	"view":    {"loop"},
	"loop":    {},
}

// TestParts checks the rules of the engine: a part calls only the parts below it,
// only its methods write its fields, and it has at most maxFields of them. With -v it
// prints the number of fields, and the calls between parts.
func TestParts(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sources[name] = string(text)
		}
	}
	found := inspect(t, sources)
	for _, fault := range found.faults {
		t.Error(fault)
	}
	for _, part := range slices.Sorted(maps.Keys(below)) {
		line := fmt.Sprintf("%-8s %2d fields; calls", part, found.fields[part])
		for _, to := range below[part] {
			line += fmt.Sprintf(" %s %d", to, found.calls[[2]string{part, to}])
		}
		t.Log(line)
	}
}

// TestPartsFindsFaults checks that TestParts detects a violation of each kind.
func TestPartsFindsFaults(t *testing.T) {
	const clean = "package engine\ntype loop struct{ n int }\ntype view struct{ *loop; seen bool }\nfunc (v *view) show() { v.seen = true }\n" +
		"type link struct{ view *view; up int }\nfunc (l *link) f() { l.up++; l.view.show() }\ntype session struct{ link *link; seq [2]int }\nfunc (s *session) g() { s.link.f() }\n" +
		"type connection struct{ link *link }\nfunc (c *connection) h() { c.link.up = 2 }\n"
	for name, fault := range map[string]string{
		"":                         "",
		"link calls session":       "func (l *link) bad(s *session) { s.g() }",
		"link passes session's":    "func (l *link) bad(s *session) func() { return s.g }",
		"session writes link's":    "func (s *session) bad() { s.link.up = 1 }",
		"session counts link's":    "func (s *session) bad() { s.link.up++ }",
		"link sets session's":      "func (l *link) bad(s *session) { s.seq[0] = 1 }",
		"session points to link's": "func (s *session) bad() *int { return &s.link.up }",
		"a part is too big":        "type storage struct{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u int }",
		"a part hides fields":      "type more struct{ a, b, c, d, e, f, g, h, i, j int }\ntype storage struct{ more; k, l, m, n, o, p, q, r, s, t, u int }",
		"a function writes":        "func bad(l *link) { l.up = 1 }",
		"a file is too long":       strings.Repeat("\n", maxLines),
	} {
		if faults := inspect(t, map[string]string{"a.go": clean + fault}).faults; (len(faults) == 0) != (name == "") {
			t.Errorf("%q: %q", name, faults)
		}
	}
}

type inspection struct {
	fields map[string]int
	calls  map[[2]string]int
	faults []string
}

// inspect type-checks a package and inspects each use of a field or method of a part.
func inspect(t *testing.T, sources map[string]string) inspection {
	t.Helper()
	found := inspection{fields: map[string]int{}, calls: map[[2]string]int{}}
	fset := token.NewFileSet()
	var files []*ast.File
	for name, text := range sources {
		if n := strings.Count(text, "\n"); n > maxLines {
			found.faults = append(found.faults, fmt.Sprintf("%s has %d lines", name, n))
		}
		file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := config.Check("engine", fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	for name, part := range partOf {
		if strings.EqualFold(name, part) {
			if object := pkg.Scope().Lookup(name); object != nil {
				found.fields[part] = fields(object.Type().Underlying().(*types.Struct))
			}
		}
		if n := found.fields[part]; n > maxFields {
			found.faults = append(found.faults, fmt.Sprintf("%s has %d fields", part, n))
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				found.look(fset, info, f)
			}
		}
	}
	return found
}

// fields counts the fields of a struct, including those of embedded structs.
func fields(s *types.Struct) (n int) {
	for f := range s.Fields() {
		if inner, ok := f.Type().Underlying().(*types.Struct); ok && f.Embedded() {
			n += fields(inner)
		} else {
			n++
		}
	}
	return n
}

// look checks what a function calls and writes. A function without a receiver belongs
// to the part that it constructs, if any.
func (found *inspection) look(fset *token.FileSet, info *types.Info, f *ast.FuncDecl) {
	from := ""
	if owner := f.Recv; owner != nil || f.Type.Results != nil {
		if owner == nil {
			owner = f.Type.Results
		}
		from = partOf[typeName(info.TypeOf(owner.List[0].Type))]
	}
	fault := func(at ast.Node, format string, args ...any) {
		found.faults = append(found.faults, fmt.Sprintf("%s: %s: ", fset.Position(at.Pos()), f.Name.Name)+fmt.Sprintf(format, args...))
	}
	write := func(e ast.Expr) {
		for {
			switch x := e.(type) {
			case *ast.IndexExpr:
				e = x.X
			case *ast.ParenExpr:
				e = x.X
			case *ast.StarExpr:
				e = x.X
			case *ast.SelectorExpr:
				if s := info.Selections[x]; s != nil && s.Kind() == types.FieldVal {
					if owner := partOf[ownerOf(s)]; owner != "" && owner != from {
						fault(x, "writes %s.%s", owner, x.Sel.Name)
					}
				}
				e = x.X
			default:
				return
			}
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, e := range n.Lhs {
				write(e)
			}
		case *ast.IncDecStmt:
			write(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				write(n.X)
			}
		case *ast.SelectorExpr:
			s := info.Selections[n]
			if s == nil || s.Kind() == types.FieldVal {
				break
			}
			to := partOf[ownerOf(s)]
			if to == "" || to == from || from == "" {
				break
			}
			found.calls[[2]string{from, to}]++
			if !slices.Contains(below[from], to) {
				fault(n, "calls %s.%s", to, n.Sel.Name)
			}
		}
		return true
	})
}

// ownerOf returns the name of the type that declares a field or method, which may be
// embedded.
func ownerOf(s *types.Selection) string {
	if f, ok := s.Obj().(*types.Func); ok {
		return typeName(f.Signature().Recv().Type())
	}
	at := s.Recv()
	for _, i := range s.Index()[:len(s.Index())-1] {
		if p, ok := at.Underlying().(*types.Pointer); ok {
			at = p.Elem()
		}
		at = at.Underlying().(*types.Struct).Field(i).Type()
	}
	return typeName(at)
}

func typeName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Name()
	}
	return ""
}
