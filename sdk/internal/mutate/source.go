package mutate

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Tree is the module's Go code without tests: the text of every file by its path.
type Tree map[string][]byte

// ReadTree reads the module that contains the working folder.
func ReadTree() (root string, tree Tree, err error) {
	if root, err = os.Getwd(); err != nil {
		return "", nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if root == filepath.Dir(root) {
			return "", nil, errors.New("no folder above has a go.mod")
		}
		root = filepath.Dir(root)
	}
	tree = Tree{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && path != root && (name[0] == '.' || name == "testdata" || name == "node_modules" || name == "bin"):
			return filepath.SkipDir
		case d.IsDir() && path != root && isModule(path):
			return filepath.SkipDir // such as copies of other modules that a build makes
		case !d.IsDir() && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			tree[path], err = os.ReadFile(path)
		}
		return err
	})
	return root, tree, err
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// Overlay writes the files into dir, with the file that go build -overlay reads, and
// returns the path of that file.
func (t Tree) Overlay(dir string) (string, error) {
	replace := map[string]string{}
	for path, text := range t {
		replace[path] = filepath.Join(dir, fmt.Sprintf("%d-%s", len(replace), filepath.Base(path)))
		if err := os.WriteFile(replace[path], text, 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, data, 0o600)
}

// A File is the text and the syntax tree of a file.
type File struct {
	*ast.File
	Path string
	Text []byte
	set  *token.FileSet
}

// Parse parses the text of a file.
func Parse(path string, text []byte) (*File, error) {
	f := &File{Path: path, Text: text, set: token.NewFileSet()}
	var err error
	f.File, err = parser.ParseFile(f.set, path, text, parser.SkipObjectResolution)
	return f, err
}

// Offset returns the offset of pos in the text.
func (f *File) Offset(pos token.Pos) int { return f.set.Position(pos).Offset }

// Line returns the line number of pos.
func (f *File) Line(pos token.Pos) int { return f.set.Position(pos).Line }

// Source returns the text of the nodes from first to last.
func (f *File) Source(first, last ast.Node) string {
	return string(f.Text[f.Offset(first.Pos()):f.Offset(last.End())])
}

// A Declaration is a function, or the declaration of variables or constants.
type Declaration struct {
	Name string // of a method with its type
	Node ast.Node
}

// Declarations returns the declarations of the file.
func (f *File) Declarations() (all []Declaration) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				t := d.Recv.List[0].Type
				if star, ok := t.(*ast.StarExpr); ok {
					t = star.X
				}
				if generic, ok := t.(*ast.IndexExpr); ok {
					t = generic.X
				}
				name = f.Source(t, t) + "." + name
			}
			all = append(all, Declaration{name, d})
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					all = append(all, Declaration{v.Names[0].Name, v})
				}
			}
		}
	}
	return all
}
