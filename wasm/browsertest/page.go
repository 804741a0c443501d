//go:build unix

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
)

const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws: wss:"

var (
	//go:embed worker.js
	workerJS string
	//go:embed faults.js
	faultsJS string
)

// A page serves the page that the browser opens. That page starts a worker, which
// runs the test.
type page struct {
	files   map[string]string // path → file
	args    []string
	env     map[string]string
	exit    chan int // receives the exit code
	browser *chromium
}

func (p *page) handler() http.Handler {
	mux := http.NewServeMux()
	text := func(path, mime, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", mime)
			io.WriteString(w, body)
		})
	}
	text("/{$}", "text/html", `<!doctype html><title>test</title><script type="module" src="page.js"></script>`)
	text("/page.js", "text/javascript", `new Worker("worker.js", { type: "module" });`)
	text("/worker.js", "text/javascript", workerJS)
	text("/faults.js", "text/javascript", faultsJS)
	mux.Handle("/peer/", new(peer).handler())
	for path, file := range p.files {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if path == "/test.wasm" { // the name of the test binary ends in .test
				w.Header().Set("Content-Type", "application/wasm")
			}
			http.ServeFile(w, r, file)
		})
	}
	mux.HandleFunc("GET /run.json", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"args": p.args, "env": p.env})
	})
	mux.HandleFunc("POST /output", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(os.Stdout, r.Body)
	})
	mux.HandleFunc("POST /exit", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		code, err := strconv.Atoi(string(body))
		if err != nil {
			code = 1
		}
		select {
		case p.exit <- code:
		default:
		}
	})
	mux.HandleFunc("POST /devtools/{method}", func(w http.ResponseWriter, r *http.Request) {
		var params json.RawMessage
		err := json.NewDecoder(r.Body).Decode(&params)
		if err == nil {
			err = p.browser.tools.call(context.WithoutCancel(r.Context()), p.browser.profile, "http://"+r.Host, r.PathValue("method"), params)
		}
		if err != nil {
			http.Error(w, fmt.Sprint(err), http.StatusBadGateway)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}
