//go:build !js

package client_test

import (
	"bufio"
	"go/format"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/server/mem"
)

// docsPage reads the page for Go users. It returns its go.mod, its program, and its other
// blocks.
func docsPage(t *testing.T) (mod, program string, others []string) {
	t.Helper()
	page, err := os.ReadFile("../../js/docs/go.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?ms)^```(go)?\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		switch text := block[2]; {
		case block[1] == "":
			mod = text
		case strings.HasPrefix(text, "// main.go\n\n"):
			program = strings.TrimPrefix(text, "// main.go\n\n")
		default:
			others = append(others, text)
		}
	}
	return mod, program, others
}

// The program of the page compiles in a module of its own. It prints what is published
// while it runs, and after its next start what was published in between.
func TestDocsProgram(t *testing.T) {
	mod, program, _ := docsPage(t)
	if formatted, err := format.Source([]byte(program)); err != nil || string(formatted) != program {
		t.Errorf("gofmt changes the program (%v)", err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": strings.Replace(mod, "path/to/xmpp-pam", root, 1), "go.sum": string(sum), "main.go": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-mod=mod", "-o", "follow", ".") // -mod=mod adds the indirect requirements
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}

	server, err := mem.New(mem.Config{Accounts: map[string]string{"alice": "secret"}, Archive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.CreateNode("news", "open"); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	defer web.Close()
	publish := func(id, title string) {
		if err := server.Publish("news", id, "<entry xmlns='http://www.w3.org/2005/Atom'><title>"+title+"</title></entry>"); err != nil {
			t.Fatal(err)
		}
	}
	run := func(publishes string, want ...string) {
		t.Helper()
		follow := exec.Command(filepath.Join(dir, "follow"), "-url", "ws"+strings.TrimPrefix(web.URL, "http"), "-dir", filepath.Join(dir, "data"))
		follow.Stderr = os.Stderr
		out, err := follow.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := follow.Start(); err != nil {
			t.Fatal(err)
		}
		limit := time.AfterFunc(20*time.Second, func() { _ = follow.Process.Kill() })
		defer limit.Stop()
		lines := bufio.NewScanner(out)
		for i, line := range want {
			if i == 1 && publishes != "" {
				for list, _ := server.Subscriptions("alice"); len(list) == 0; list, _ = server.Subscriptions("alice") {
					time.Sleep(10 * time.Millisecond)
				}
				publish("1", publishes)
			}
			if !lines.Scan() || !strings.HasPrefix(lines.Text(), line) {
				t.Errorf("line %d is %q, want %q", i, lines.Text(), line)
				break
			}
		}
		_ = follow.Process.Signal(os.Interrupt)
		if err := follow.Wait(); err != nil {
			t.Errorf("the program ended with %v", err)
		}
	}
	run("It rains", "stored subscriptions: 0", "news published It rains") // live, or found when the node is first read
	publish("2", "It snows")
	run("", "stored subscriptions: 1", "news published It snows catch-up")
}

// The other blocks of the page are parts of the examples.
func TestDocsExamples(t *testing.T) {
	examples, err := os.ReadFile("examples_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, _, others := docsPage(t)
	if len(others) != 2 {
		t.Errorf("the page has %d blocks besides the program", len(others))
	}
	for _, block := range others {
		if !strings.Contains(string(examples), block) {
			t.Errorf("no example contains\n%s", block)
		}
	}
}
