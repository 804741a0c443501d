package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
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

// packageFiles serves the built package: index.js, worker.js, pam.wasm. A file
// may have compressed forms next to it (.br, .gz), which are preferred.
type packageFiles struct{ root *os.Root }

// openPackage checks that the package was built.
func openPackage(dir string) (*packageFiles, error) {
	for _, name := range []string{"index.js", "pam.wasm"} {
		if _, err := os.Stat(path.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("%s has no %s: build the package first (make js)", dir, name)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &packageFiles{root}, nil
}

func (p *packageFiles) Close() error { return p.root.Close() }

// ServeHTTP serves the file named by the path. Names contain no hash, so browsers
// must revalidate each use: no-cache with an entity tag.
func (p *packageFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path
	f, encoding, err := p.open(name, r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	setType(w, name)
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", fmt.Sprintf(`"%x-%x%s"`, info.ModTime().UnixNano(), info.Size(), encoding))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	http.ServeContent(w, r, name, time.Time{}, f)
}

// open opens the best form of a file that the browser accepts and that is not
// older than the file itself. Compressors copy its time, in whole seconds.
func (p *packageFiles) open(name, accept string) (*os.File, string, error) {
	plain, err := p.root.Stat(name)
	if err != nil {
		return nil, "", err
	}
	for _, form := range [][2]string{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accept, form[0]) {
			continue
		}
		packed, err := p.root.Stat(name + form[1])
		if err != nil || packed.ModTime().Before(plain.ModTime().Truncate(time.Second)) {
			continue
		}
		if f, err := p.root.Open(name + form[1]); err == nil {
			return f, form[0], nil
		}
	}
	f, err := p.root.Open(name)
	return f, "", err
}

func accepts(header, encoding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(part, ";")
		if strings.TrimSpace(name) == encoding {
			return strings.TrimSpace(q) != "q=0"
		}
	}
	return false
}

// wasmInfo has the size of the module: Bytes uncompressed, and Packed as sent to a
// browser that accepts Encoding, if there is a compressed form. Build is the build
// information of the package.
type wasmInfo struct {
	Bytes    int64           `json:"bytes"`
	Packed   int64           `json:"packed,omitempty"`
	Encoding string          `json:"encoding,omitempty"`
	Build    json.RawMessage `json:"build,omitempty"`
}

func (p *packageFiles) wasmInfo() wasmInfo {
	var info wasmInfo
	if st, err := p.root.Stat("pam.wasm"); err == nil {
		info.Bytes = st.Size()
	}
	if f, encoding, err := p.open("pam.wasm", "br, gzip"); err == nil {
		if st, err := f.Stat(); err == nil && encoding != "" {
			info.Packed, info.Encoding = st.Size(), encoding
		}
		f.Close()
	}
	if data, err := p.root.ReadFile("build-info.json"); err == nil && json.Valid(data) {
		info.Build = data
	}
	return info
}

// setType sets the content type from the file's extension, independent of the
// machine's settings. Browsers need the correct type to compile WebAssembly while it
// streams, and reject a module script without it.
func setType(w http.ResponseWriter, name string) {
	types := map[string]string{
		".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
		".js": "text/javascript; charset=utf-8", ".json": "application/json",
		".svg": "image/svg+xml", ".wasm": "application/wasm",
	}
	t := types[path.Ext(name)]
	if t == "" {
		t = "application/octet-stream"
	}
	w.Header().Set("Content-Type", t)
}
