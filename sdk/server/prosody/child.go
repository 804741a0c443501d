package prosody

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const stopTimeout = 5 * time.Second

// child is a Prosody process.
type child struct {
	process *os.Process
	done    chan struct{} // closed after the process has exited and Wait has returned
}

// run starts Prosody with the configuration in dir.
func run(dir string) (*child, error) {
	console, err := os.Create(filepath.Join(dir, "console.log"))
	if err != nil {
		return nil, fmt.Errorf("prosody: no log file: %w", err)
	}
	os.Remove(filepath.Join(dir, "prosody.log")) // of an earlier run
	cmd := exec.Command(program(), "--config", filepath.Join(dir, "prosody.cfg.lua"), "-F")
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = console, console
	cmd.SysProcAttr = killWithParent()
	c := &child{done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(c.done)
		defer console.Close()
		// The kernel sends the parent-death signal when the thread that started the child exits.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("prosody: it does not start: %w; %s", err, howToGet)
	}
	c.process = cmd.Process
	return c, nil
}

// stop ends the process and returns after it has exited.
func (c *child) stop() {
	c.process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
		return
	case <-time.After(stopTimeout):
	}
	c.process.Kill()
	<-c.done
}
