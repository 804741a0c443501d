//go:build !js

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryPageHasSecurityHeaders(t *testing.T) {
	d := startDemo(t, false)
	dev := d.device("Laptop")
	for url, ancestors := range map[string]string{
		d.origin + "/":               "frame-ancestors 'none'",
		d.origin + "/web/shell.js":   "frame-ancestors 'none'",
		dev.URL:                      "frame-ancestors http://localhost:*",
		dev.URL + "pkg/worker.js":    "frame-ancestors http://localhost:*",
		dev.URL + "web/theme.css":    "frame-ancestors http://localhost:*",
		dev.URL + "config.json":      "frame-ancestors http://localhost:*",
		dev.URL + "there/is/no/such": "frame-ancestors http://localhost:*",
	} {
		res, _ := do(t, "GET", url, "")
		csp := res.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "require-trusted-types-for 'script'", ancestors} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: no %q in %q", url, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe-inline") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", url, res.Header)
		}
	}
}

// Only the page of a device and its worker may connect to another server, and only if
// the request asks for that.
func TestOwnServer(t *testing.T) {
	d := startDemo(t, false)
	dev := d.device("Laptop").URL
	const own = "connect-src 'self' https: wss: http://localhost:* ws://localhost:*;"
	for url, want := range map[string]bool{
		dev + "?own":                           true,
		dev + "?x=1&own=1":                     true,
		dev + "web/device-worker.js?own":       true,
		dev:                                    false,
		dev + "?owner":                         false,
		dev + "web/device-worker.js":           false,
		dev + "web/device.js?own":              false,
		dev + "measure?own":                    false,
		dev + "pkg/worker.js?own":              false,
		d.origin + "/?own":                     false,
		d.origin + "/web/device-worker.js?own": false,
	} {
		res, _ := do(t, "GET", url, "")
		csp := res.Header.Get("Content-Security-Policy")
		if got := strings.Contains(csp, own); got != want || strings.Contains(csp, "https:") != want {
			t.Errorf("%s: %s", url, csp)
		}
		if !strings.Contains(csp, "script-src 'self' 'wasm-unsafe-eval'; ") {
			t.Errorf("%s: other directives: %s", url, csp)
		}
	}
}

func TestHostGuard(t *testing.T) {
	d := startDemo(t, false)
	port := strings.TrimPrefix(d.origin, "http://localhost:")
	for host, want := range map[string]int{
		"localhost:" + port:           http.StatusOK,
		"127.0.0.1:" + port:           http.StatusTemporaryRedirect, // to localhost
		"[::1]:" + port:               http.StatusTemporaryRedirect,
		"localhost":                   http.StatusMisdirectedRequest,
		"localhost:1":                 http.StatusMisdirectedRequest,
		"evil.example:" + port:        http.StatusMisdirectedRequest,
		"localhost.evil.test:" + port: http.StatusMisdirectedRequest,
		"127.0.0.1.evil.test:" + port: http.StatusMisdirectedRequest,
	} {
		res, _ := do(t, "GET", d.origin+"/", "", "Host", host)
		if res.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, res.StatusCode, want)
		}
		if loc := res.Header.Get("Location"); loc != "" && loc != d.origin+"/" {
			t.Errorf("Host %s is sent to %s", host, loc)
		}
	}
}

func TestPackageFiles(t *testing.T) {
	d := startDemo(t, false)
	pkg := d.device("d1").URL + "pkg/"
	for _, tt := range []struct{ name, accept, ctype, encoding, body string }{
		{"pam.wasm", "gzip, deflate, br", "application/wasm", "br", "packed"},
		{"pam.wasm", "gzip", "application/wasm", "", "\x00asm plain"},
		{"pam.wasm", "br;q=0", "application/wasm", "", "\x00asm plain"},
		{"index.js", "br", "text/javascript; charset=utf-8", "", "export {}"},
	} {
		res, body := do(t, "GET", pkg+tt.name, "", "Accept-Encoding", tt.accept)
		h := res.Header
		if res.StatusCode != 200 || body != tt.body || h.Get("Content-Type") != tt.ctype || h.Get("Content-Encoding") != tt.encoding || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s, accept %q: %s %q %v", tt.name, tt.accept, res.Status, body, h)
		}
		again, _ := do(t, "GET", pkg+tt.name, "", "Accept-Encoding", tt.accept, "If-None-Match", h.Get("ETag"))
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %s", tt.name, again.Status)
		}
	}
	for _, name := range []string{"", "none.js", "..%2fmain.go", "%2e%2e/secret", "./"} {
		if res, body := do(t, "GET", pkg+name, ""); res.StatusCode == http.StatusOK {
			t.Errorf("pkg/%s: %s %q", name, res.Status, body)
		}
	}
}

func TestWebFiles(t *testing.T) {
	d := startDemo(t, false)
	for _, name := range []string{"device.html", "icon.svg", "theme.css", "shell.js"} {
		data, err := web.ReadFile("web/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if res, body := do(t, "GET", d.device("d1").URL+"web/"+name, ""); res.StatusCode != http.StatusOK || body != string(data) {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
	for name, want := range map[string]string{
		"a.svg": "image/svg+xml", "a.png": "image/png", "a.webp": "image/webp", "a.js": "text/javascript; charset=utf-8", "a": "application/octet-stream",
	} {
		w := httptest.NewRecorder()
		if setType(w, name); w.Header().Get("Content-Type") != want {
			t.Errorf("%s: %s", name, w.Header())
		}
	}
	// The page for measurements is served under the name localhost only, if it is there.
	_, err := web.ReadFile("web/measure.html")
	want := http.StatusOK
	if err != nil {
		want = http.StatusNotFound
	}
	if res, _ := do(t, "GET", d.device("d1").URL+"measure", ""); res.StatusCode != want {
		t.Errorf("measure: %s, want %d", res.Status, want)
	}
}

func TestDocs(t *testing.T) {
	d := startDemo(t, false)
	res, body := do(t, "GET", d.origin+"/docs/guide.md", "")
	if res.StatusCode != http.StatusOK || body != "# Guide" || res.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%s %v %q", res.Status, res.Header, body)
	}
	for _, name := range []string{"", "none.md", "page.html", "sub.md", "sub/x.md", "sub%2fx.md", "..%2fdist%2findex.js", "..%2fsecret.md", ".hidden.md", "link.md"} {
		if res, body := do(t, "GET", d.origin+"/docs/"+name, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%q: %s %q", name, res.Status, body)
		}
	}

	// A package without documentation is served nevertheless.
	dir := t.TempDir()
	for _, name := range []string{"index.js", "pam.wasm"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := openPackage(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/docs/guide.md", nil)
	r.SetPathValue("name", "guide.md")
	if files.serveDoc(w, r); w.Code != http.StatusNotFound {
		t.Errorf("without documentation: %d", w.Code)
	}
}
