package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// contentSecurityPolicy lets a page load its own files and nothing else. The page
// of a device may also compile WebAssembly, and start a worker only through the one
// named policy. The enclosing page may show frames of other ports.
const contentSecurityPolicy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; " +
	"connect-src 'self' ws://localhost:*; frame-src http://localhost:*; worker-src 'self'; " +
	"style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; " +
	"require-trusted-types-for 'script'; trusted-types pam-demo; frame-ancestors "

// ownServer lets the page of a device, and the worker that it starts, connect to any
// server, if the request has the query own. A worker has the policy of the response with
// its script, not that of the page.
func ownServer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("own") {
			h := w.Header()
			policy := h.Get("Content-Security-Policy")
			h.Set("Content-Security-Policy", strings.Replace(policy, "connect-src 'self' ", "connect-src 'self' https: wss: http://localhost:* ", 1))
		}
		next.ServeHTTP(w, r)
	})
}

// guard sets the security headers and rejects requests for another host, such as a
// foreign name that resolves to loopback (DNS rebinding).
func guard(l net.Listener, ancestors string, next http.Handler) http.Handler {
	port := strconv.Itoa(portOf(l))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, p, err := net.SplitHostPort(r.Host)
		if err != nil || p != port || !isLocal(host) {
			http.Error(w, "This demo accepts only requests to localhost.", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy+ancestors)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func isLocal(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1"
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// originOf returns the only origin of a listener's pages. Pages must not be opened
// at 127.0.0.1: that is a different site from localhost, and browsers partition the
// storage of frames from another site.
func originOf(l net.Listener) string { return fmt.Sprintf("http://localhost:%d", portOf(l)) }

// webPage serves one embedded page, under the name localhost only.
func webPage(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, port, _ := net.SplitHostPort(r.Host); host != "localhost" {
			target := *r.URL
			target.Scheme, target.Host = "http", "localhost:"+port
			http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
			return
		}
		serveWeb(w, r, name)
	})
}

// webFiles serves the embedded scripts and styles below /web/.
func webFiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serveWeb(w, r, strings.TrimPrefix(r.URL.Path, "/web/"))
	})
}

func serveWeb(w http.ResponseWriter, r *http.Request, name string) {
	data, err := web.ReadFile(path.Join("web", name))
	if err != nil || !fs.ValidPath(name) {
		http.NotFound(w, r)
		return
	}
	setType(w, name)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

// setType sets the content type from the file's extension, independent of the
// machine's settings. Browsers need the correct type to compile WebAssembly while it
// streams, and reject a module script without it.
func setType(w http.ResponseWriter, name string) {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".json": "application/json",
		".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp", ".wasm": "application/wasm",
		".md": "text/plain; charset=utf-8",
	}
	t := types[path.Ext(name)]
	if t == "" {
		t = "application/octet-stream"
	}
	w.Header().Set("Content-Type", t)
}
