package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// packageFiles serves the built package: index.js, worker.js, pam.wasm. A file
// may have compressed forms next to it (.br, .gz), which are preferred.
type packageFiles struct {
	root *os.Root
	docs *os.Root // the folder docs beside it, or nil
}

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
	p := &packageFiles{root: root}
	if docs, err := os.OpenRoot(filepath.Join(dir, "..", "docs")); err == nil {
		p.docs = docs
	}
	return p, nil
}

func (p *packageFiles) Close() error {
	if p.docs != nil {
		p.docs.Close()
	}
	return p.root.Close()
}

var docName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*\.md$`)

// serveDoc serves a page of the documentation as text.
func (p *packageFiles) serveDoc(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if p.docs == nil || !docName.MatchString(name) {
		http.NotFound(w, r)
		return
	}
	data, err := p.docs.ReadFile(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	setType(w, name)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

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
