//go:build unix

// Command browsertest runs a Go test binary built for js/wasm in a worker of a
// headless Chromium:
//
//	go build -o bin/browsertest ./wasm/browsertest
//	GOOS=js GOARCH=wasm go test -exec "$PWD/bin/browsertest" ./wasm/socket ./wasm/idb ./wasm/fetch ./wasm/kdf
//
// The page has the Content-Security-Policy that the documentation of the package
// recommends. globalThis.testHost has the exports of socket.js, idb.js, fetch.js,
// kdf.js and faults.js; a server of the transport conformance suite listens at
// TRANSPORT_TEST_URL.
//
// Chromium is $CHROMIUM, or else the first of chromium, chromium-browser and
// google-chrome in PATH. The run ends after two minutes at the latest.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"xmpp-pam/sdk/transport/transporttest"
)

const timeout = 2 * time.Minute

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: browsertest binary.wasm [test flags]; it is meant for go test -exec")
		os.Exit(2)
	}
	code, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "browsertest:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run runs the test binary with flags and returns its exit code.
func run(binary string, flags []string) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	module, err := moduleRoot()
	if err != nil {
		return 1, err
	}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return 1, fmt.Errorf("go env GOROOT: %w", err)
	}
	peer, err := listen(transporttest.Handler())
	if err != nil {
		return 1, err
	}
	p := &page{
		files: map[string]string{
			"/test.wasm":    binary,
			"/wasm_exec.js": filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec.js"),
			"/socket.js":    filepath.Join(module, "wasm", "socket", "socket.js"),
			"/idb.js":       filepath.Join(module, "wasm", "idb", "idb.js"),
			"/fetch.js":     filepath.Join(module, "wasm", "fetch", "fetch.js"),
			"/kdf.js":       filepath.Join(module, "wasm", "kdf", "kdf.js"),
		},
		args: append([]string{"test"}, usable(flags)...),
		env:  map[string]string{"TRANSPORT_TEST_URL": "ws://" + peer},
		exit: make(chan int, 1),
	}
	own, err := listen(p.handler())
	if err != nil {
		return 1, err
	}
	browser, err := startChromium("http://" + own + "/")
	if err != nil {
		return 1, err
	}
	defer browser.stop()
	p.browser = browser
	select {
	case code := <-p.exit:
		return code, nil
	case <-browser.ended:
		return 1, fmt.Errorf("the browser ended before the test did; its output:\n%s", browser.log())
	case <-ctx.Done():
		return 1, fmt.Errorf("the test did not end within %v; the browser's output:\n%s", timeout, browser.log())
	}
}

// usable leaves out the flags that make the test write files.
func usable(flags []string) []string {
	var kept []string
	for _, flag := range flags {
		if !strings.HasPrefix(flag, "-test.testlogfile=") && !strings.HasPrefix(flag, "-test.gocoverdir=") {
			kept = append(kept, flag)
		}
	}
	return kept
}

// moduleRoot returns the folder of go.mod at or above the current one.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod here or above; run it from inside the module")
		}
		dir = parent
	}
}

// listen serves handler on a free loopback port, until the process ends, and
// returns its address.
func listen(handler http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(l, handler)
	return l.Addr().String(), nil
}
