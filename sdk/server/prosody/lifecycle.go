package prosody

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// Close stops the server and removes its folder. It sends Prosody a signal to exit, and kills it after 5
// seconds. A second call does nothing and returns the same error.
func (s *Server) Close() error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.closed {
		return s.closeErr
	}
	s.closed = true
	s.stop()
	if err := os.RemoveAll(s.dir); err != nil {
		s.closeErr = fmt.Errorf("prosody: its folder is not removed: %w", err)
	}
	return s.closeErr
}

// Restart stops Prosody and starts it again with the same data, on the same port, and returns when it
// accepts connections. All sessions end, and none can be resumed. The context limits the start. If Restart
// fails, Prosody does not run; Restart may then be tried again.
func (s *Server) Restart(ctx context.Context) error {
	s.lifecycle.Lock()
	defer s.lifecycle.Unlock()
	if s.closed {
		return errors.New("prosody: it cannot be restarted after Close")
	}
	s.stop()
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := s.run(ctx)
	if errors.Is(err, errPortTaken) {
		err = s.run(ctx)
	}
	return err
}

// stop stops the server and keeps its folder, so that startIn can use it again.
func (s *Server) stop() {
	s.child.stop()
	s.lastLog.Store(readLog(s.dir))
}

// startIn runs Prosody in dir and keeps the data there. Another program may take the chosen port before
// Prosody binds it; startIn then tries once more.
func startIn(ctx context.Context, dir string, cfg Config) (*Server, error) {
	version, err := installed()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := launch(ctx, dir, cfg)
	if errors.Is(err, errPortTaken) {
		s, err = launch(ctx, dir, cfg)
	}
	if err != nil {
		return nil, err
	}
	s.version = version
	if err := s.populate(ctx, cfg); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func launch(ctx context.Context, dir string, cfg Config) (*Server, error) {
	s := &Server{dir: dir, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	var err error
	if s.port, s.secret, err = configure(dir, cfg); err != nil {
		return nil, err
	}
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// run starts the process, which has ended if run fails.
func (s *Server) run(ctx context.Context) error {
	child, err := run(s.dir)
	if err != nil {
		return err
	}
	s.child = child
	if err = s.ready(ctx); err == nil {
		return nil
	}
	s.stop()
	if errors.Is(err, errPortTaken) {
		return err
	}
	return fmt.Errorf("%w; the end of its log:\n%s", err, s.Log())
}

var errPortTaken = errors.New("prosody: another program took the port it was to listen on; try again")

// ready waits until this Prosody answers, and not another program on its port.
func (s *Server) ready(ctx context.Context) error {
	for {
		err := s.call(ctx, "ping", arguments{})
		if err == nil {
			return nil
		}
		select {
		case <-s.child.done:
			return errors.New("prosody: it ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("prosody: it did not answer in time (%w): %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
			if strings.Contains(readLog(s.dir), "Failed to open server port") {
				return errPortTaken
			}
		}
	}
}

func (s *Server) populate(ctx context.Context, cfg Config) error {
	for localpart, password := range cfg.Accounts {
		if err := s.call(ctx, "account", arguments{"localpart": localpart, "password": password}); err != nil {
			return err
		}
	}
	for _, spec := range cfg.Nodes {
		node, access := spec, "open"
		if name, ok := strings.CutSuffix(spec, ":whitelist"); ok {
			node, access = name, "whitelist"
		} else if name, ok := strings.CutSuffix(spec, ":open"); ok {
			node = name
		}
		if err := s.call(ctx, "node", arguments{"node": node, "access_model": access}); err != nil {
			return err
		}
	}
	return nil
}
