// Package sdk_test holds the rules about which room may use which.
package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// deps lists what a package links for a platform, test files left out.
func deps(t *testing.T, goos, goarch, pattern string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", pattern)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", pattern, err, err.(*exec.ExitError).Stderr)
	}
	return strings.Fields(string(out))
}

func TestRooms(t *testing.T) {
	const own = "xmpp-pam/"
	tests := []struct {
		name, goos, goarch, pattern string
		never                       []string // packages, or prefixes ending in /
	}{
		{"sdk is portable", "linux", "amd64", "./sdk/...", []string{"syscall/js", "github.com/hack-pad/safejs", own + "wasm/", own + "js/", own + "demo"}},
		{"the wasm build is small", "js", "wasm", "./wasm", []string{"net/http", "crypto/tls", "encoding/json", "text/template", "github.com/coder/websocket"}},
		{"mem shares nothing with the client", "linux", "amd64", "./sdk/server/mem", []string{own + "sdk/internal/element", own + "sdk/internal/sasl", own + "sdk/internal/stream", own + "sdk/internal/pubsub", own + "sdk/internal/disco", own + "sdk/pam", own + "sdk/internal/listsync", own + "sdk/client"}},
		{"prosody shares nothing with the client", "linux", "amd64", "./sdk/server/prosody", []string{own + "sdk/internal/element", own + "sdk/internal/stream", own + "sdk/pam", own + "sdk/internal/listsync", own + "sdk/client"}},
		{"stream does no I/O", "linux", "amd64", "./sdk/internal/stream", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/listsync", own + "sdk/client"}},
		{"listsync does no I/O", "linux", "amd64", "./sdk/internal/listsync", []string{own + "sdk/transport", own + "sdk/store", own + "sdk/internal/stream", own + "sdk/client"}},
		{"hostmeta fetches by an interface", "linux", "amd64", "./sdk/internal/hostmeta", []string{"net/http", "net/url", "encoding/json", own + "sdk/client", own + "sdk/internal/stream", "mellium.im/"}},
		{"store knows no protocol", "linux", "amd64", "./sdk/store", []string{own + "sdk/internal/element", own + "sdk/pam", "mellium.im/"}},
		{"client knows no transport", "linux", "amd64", "./sdk/client", []string{"github.com/coder/websocket", "net/http", own + "sdk/server/"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, dep := range deps(t, tt.goos, tt.goarch, tt.pattern) {
				if slices.ContainsFunc(tt.never, func(n string) bool {
					return dep == n || (strings.HasSuffix(n, "/") && strings.HasPrefix(dep, n))
				}) {
					t.Errorf("%s links %s", tt.pattern, dep)
				}
			}
		})
	}
}

// TestPure checks that the pure machines read no clock and draw no randomness.
func TestPure(t *testing.T) {
	for _, room := range []string{"internal/stream", "internal/listsync", "internal/sasl"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", room, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{"time.Now(", "time.Sleep(", "time.After", "crypto/rand\"", "math/rand", "go func("} {
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
	for _, pattern := range []string{"../wasm/*.go", "../wasm/socket/*.go", "../wasm/idb/*.go", "../wasm/fetch/*.go"} {
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
		if !strings.Contains(string(source), "//go:build js && wasm\n") {
			t.Errorf("%s lacks the build tag js && wasm", file)
		}
	}
}

// TestTypeScriptKnowsNoProtocol checks that no namespace is spelled out in the
// npm package.
func TestTypeScriptKnowsNoProtocol(t *testing.T) {
	files, err := filepath.Glob("../js/src/*.ts")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files (%v)", err)
	}
	for _, file := range files {
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
