// Package sdk_test holds the rules about which package may use which.
package sdk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const own = "xmpp-pam/"

// A platform is what code is built for.
type platform struct{ goos, goarch string }

var (
	native  = platform{"linux", "amd64"}
	browser = platform{"js", "wasm"}
)

// list runs go list and returns its words.
func list(t *testing.T, on platform, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+on.goos, "GOARCH="+on.goarch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, err.(*exec.ExitError).Stderr)
	}
	return strings.Fields(string(out))
}

// names reports whether one of the patterns, packages or prefixes ending in /, is
// or holds pkg.
func names(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return pkg == p || strings.HasSuffix(p, "/") && strings.HasPrefix(pkg, p)
	})
}

// TestPackages checks what packages link, test files left out.
func TestPackages(t *testing.T) {
	protocol := []string{own + "sdk/internal/", own + "sdk/pam", own + "sdk/client"}
	tests := []struct {
		name    string
		on      platform
		pattern string
		never   []string
		always  []string
	}{
		{"sdk is portable", native, "./sdk/...", []string{"syscall/js", "github.com/hack-pad/safejs", own + "wasm/", own + "js/", own + "demo"}, nil},
		{"the client uses mellium", native, "./sdk/client", nil, []string{"mellium.im/xmpp/jid"}},
		{"the wasm build is small", browser, "./wasm", []string{"net/http", "crypto/tls", "encoding/json", "text/template", "github.com/coder/websocket"}, []string{"github.com/hack-pad/safejs"}},
		{"mem shares nothing with the client", native, "./sdk/server/mem", protocol, nil},
		{"prosody shares nothing with the client", native, "./sdk/server/prosody", protocol, nil},
		{"pam is only a vocabulary", native, "./sdk/pam", []string{"mellium.im/", own + "sdk/internal/", own + "sdk/client", own + "sdk/store", own + "sdk/transport"}, nil},
		{"stream does no I/O", native, "./sdk/internal/stream", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/listsync", own + "sdk/client"}, nil},
		{"listsync does no I/O", native, "./sdk/internal/listsync", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/stream", own + "sdk/client"}, nil},
		{"inbox does no I/O", native, "./sdk/internal/inbox", []string{own + "sdk/transport", own + "sdk/internal/stream", own + "sdk/internal/listsync", own + "sdk/client"}, nil},
		{"catchup does no I/O", native, "./sdk/internal/catchup", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/stream", own + "sdk/internal/listsync", own + "sdk/client"}, nil},
		{"privatepep does no I/O", native, "./sdk/internal/privatepep", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/stream", own + "sdk/internal/listsync", own + "sdk/client"}, nil},
		{"engine knows no transport and no facade", native, "./sdk/internal/engine", []string{"github.com/coder/websocket", "net/http", own + "sdk/client", own + "sdk/server/"}, nil},
		{"hostmeta fetches by an interface", native, "./sdk/internal/hostmeta", []string{"net/http", "net/url", "encoding/json", own + "sdk/client", own + "sdk/internal/stream", "mellium.im/"}, nil},
		{"store knows no protocol", native, "./sdk/store", []string{own + "sdk/internal/", own + "sdk/pam", "mellium.im/"}, nil},
		{"client knows no transport", native, "./sdk/client", []string{"github.com/coder/websocket", "net/http", own + "sdk/server/"}, nil},
		{"the native transport is coder/websocket", native, "./sdk/transport/ws", []string{own + "sdk/internal/"}, []string{"github.com/coder/websocket"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			deps := list(t, tt.on, "-deps", tt.pattern)
			for _, dep := range deps {
				if names(tt.never, dep) {
					t.Errorf("%s links %s", tt.pattern, dep)
				}
			}
			for _, dep := range tt.always {
				if !slices.Contains(deps, dep) {
					t.Errorf("%s does not link %s", tt.pattern, dep)
				}
			}
		})
	}
}

// TestPublicPackages checks that wasm and demo use sdk as any other program must.
func TestPublicPackages(t *testing.T) {
	const imports = `{{range .Imports}}{{.}} {{end}}{{range .TestImports}}{{.}} {{end}}{{range .XTestImports}}{{.}} {{end}}`
	for pattern, on := range map[string]platform{"./wasm/...": browser, "./wasm/browsertest": native, "./demo/...": native} {
		used := slices.DeleteFunc(list(t, on, "-f", imports, pattern), func(pkg string) bool { return !strings.HasPrefix(pkg, own+"sdk/") })
		if len(used) == 0 {
			t.Errorf("%s uses nothing of sdk", pattern)
		}
		for _, pkg := range used {
			if strings.Contains(pkg, "/internal/") {
				t.Errorf("%s imports %s", pattern, pkg)
			}
		}
	}
}

// TestPublicTypes checks that what other programs may use names no type of an
// internal package.
func TestPublicTypes(t *testing.T) {
	dirs := list(t, native, "-f", `{{.Dir}}`, "./sdk/...")
	for _, dir := range dirs {
		if strings.Contains(dir, filepath.FromSlash("/internal/")) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			internal := map[string]bool{}
			for _, i := range file.Imports {
				if path := strings.Trim(i.Path.Value, `"`); strings.Contains(path, "/internal/") {
					internal[path[strings.LastIndexByte(path, '/')+1:]] = true
				}
			}
			if !ast.FileExports(file) {
				continue
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BlockStmt:
					return false
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && internal[x.Name] {
						t.Errorf("%s: %s.%s is internal", fset.Position(n.Pos()), x.Name, n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// TestPure checks that the pure packages read no clock, draw no randomness and start no
// goroutine. They include those that the Makefile tests without the race detector.
func TestPure(t *testing.T) {
	pure := []string{"stream", "listsync", "sasl", "pubsub", "inbox", "catchup", "privatepep", "element", "address"}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(makefile), "\nPURE = ")
	line, _, _ = strings.Cut(line, "\n")
	for pkg := range strings.SplitSeq(line, "|") {
		if !slices.Contains(pure, pkg) {
			t.Errorf("the Makefile tests %q without the race detector", pkg)
		}
	}
	for _, pkg := range pure {
		files, err := filepath.Glob(filepath.Join("internal", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", pkg, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"time.Now(", "time.Sleep(", "time.After", "crypto/rand\"", "math/rand", "\tgo ", ".Go("} {
				if strings.Contains(string(source), word) {
					t.Errorf("%s uses %s", file, word)
				}
			}
		}
	}
}

// TestTags checks that every Go file that runs in the browser says so.
func TestTags(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../wasm/*.go", "../wasm/socket/*.go", "../wasm/idb/*.go", "../wasm/fetch/*.go", "../wasm/kdf/*.go", "../wasm/host/norm/*.go", "../wasm/host/idna/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(source), "//go:build js && wasm") {
			t.Errorf("%s lacks the build tag js && wasm", file)
		}
	}
}

// TestNamespaces checks that no namespace is spelled out in the npm package and in
// the program that runs in the browser.
func TestNamespaces(t *testing.T) {
	for _, pattern := range []string{"../js/src/*.ts", "../wasm/*.go", "../wasm/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files (%v)", err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"urn:xmpp:", "urn:ietf:", "jabber:", "http://jabber.org", "DOMParser"} {
				if strings.Contains(string(source), word) {
					t.Errorf("%s holds %q", file, word)
				}
			}
		}
	}
}
