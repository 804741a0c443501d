//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A chromium is a headless browser with its own profile.
type chromium struct {
	command *exec.Cmd
	profile string
	ended   chan struct{} // closed when the process has ended
	tools   devtools

	mu     sync.Mutex
	output bytes.Buffer
}

// startChromium starts a browser that shows url.
func startChromium(url string) (*chromium, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "browsertest-")
	if err != nil {
		return nil, err
	}
	b := &chromium{profile: profile, ended: make(chan struct{})}
	b.command = exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-extensions", "--remote-debugging-port=0", "--user-data-dir="+profile, url)
	b.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a process group, because the browser starts many processes
	b.command.Stdout, b.command.Stderr = b, b
	b.command.WaitDelay = time.Second
	if err := b.command.Start(); err != nil {
		os.RemoveAll(profile)
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	go func() {
		b.command.Wait()
		close(b.ended)
	}()
	return b, nil
}

func findChromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium found: install it (Debian: apt install chromium) or set CHROMIUM to its path")
}

// stop ends the browser with all its processes and removes the profile.
func (b *chromium) stop() {
	syscall.Kill(-b.command.Process.Pid, syscall.SIGKILL)
	<-b.ended
	for range 10 { // a process of the browser may still be writing
		if os.RemoveAll(b.profile) == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Write collects the browser's standard output and standard error.
func (b *chromium) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.output.Write(p)
}

func (b *chromium) log() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.output.String()
}
