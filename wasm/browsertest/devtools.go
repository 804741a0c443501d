//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/coder/websocket"
)

// devtools uses the DevTools protocol with one page, for faults that only the
// browser can cause. It stays connected, because the browser resets many settings
// when the connection ends.
type devtools struct {
	mu      sync.Mutex
	conn    *websocket.Conn // nil before the first call
	session string
	last    int // number of the last request
}

// call calls a method on the page of origin in the browser with the profile.
func (d *devtools) call(ctx context.Context, profile, origin, method string, params json.RawMessage) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		if err := d.connect(ctx, profile, origin); err != nil {
			return err
		}
	}
	return d.ask(ctx, method, params, nil)
}

func (d *devtools) connect(ctx context.Context, profile, origin string) error {
	file, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
	if err != nil {
		return err
	}
	port, path, ok := strings.Cut(strings.TrimSpace(string(file)), "\n")
	if !ok {
		return fmt.Errorf("the browser's DevToolsActivePort file is %q", file)
	}
	d.conn, _, err = websocket.Dial(ctx, "ws://127.0.0.1:"+port+path, nil)
	if err != nil {
		return err
	}
	d.conn.SetReadLimit(-1)
	var targets struct {
		TargetInfos []struct{ TargetID, Type, URL string }
	}
	if err := d.ask(ctx, "Target.getTargets", struct{}{}, &targets); err != nil {
		return err
	}
	for _, t := range targets.TargetInfos {
		if t.Type == "page" && strings.HasPrefix(t.URL, origin+"/") {
			var attached struct{ SessionID string }
			err := d.ask(ctx, "Target.attachToTarget", map[string]any{"targetId": t.TargetID, "flatten": true}, &attached)
			d.session = attached.SessionID
			return err
		}
	}
	return errors.New("the browser shows no page of this test")
}

// ask sends one request and waits for its answer.
func (d *devtools) ask(ctx context.Context, method string, params, result any) error {
	d.last++
	request := map[string]any{"id": d.last, "method": method, "params": params}
	if d.session != "" {
		request["sessionId"] = d.session
	}
	message, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if err := d.conn.Write(ctx, websocket.MessageText, message); err != nil {
		return err
	}
	for {
		_, message, err := d.conn.Read(ctx)
		if err != nil {
			return err
		}
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(message, &answer); err != nil {
			return err
		}
		switch {
		case answer.ID != d.last: // an event
		case answer.Error != nil:
			return fmt.Errorf("%s: %s", method, answer.Error.Message)
		case result == nil:
			return nil
		default:
			return json.Unmarshal(answer.Result, result)
		}
	}
}
