//go:build js && wasm

// Package kdf derives the key for SCRAM authentication with Web Cryptography, which
// is fast and does not block the program's only thread.
package kdf

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
)

// errNone reports that the browser has no Web Cryptography.
var errNone = errors.New("kdf: no Web Cryptography")

// New returns a function for client.Options.Derive that uses host.deriveKey, the
// function that kdf.js exports. Where the browser does not offer Web Cryptography, as
// outside secure contexts, or reports an error, the function computes the key in Go,
// in slices of about 10 ms between which other work on the thread runs.
func New(host safejs.Value) func(context.Context, client.Derivation) ([]byte, error) {
	return func(ctx context.Context, d client.Derivation) ([]byte, error) {
		key, err := derive(ctx, host, d)
		if err == nil || ctx.Err() != nil {
			return key, err
		}
		return d.Key(func() error {
			time.Sleep(time.Millisecond) // Gosched would not let the event loop run.
			return ctx.Err()
		})
	}
}

// An answer holds the arguments with which kdf.js calls onDone.
type answer struct {
	key []byte
	err error
}

func derive(ctx context.Context, host safejs.Value, d client.Derivation) ([]byte, error) {
	done := make(chan answer, 1)
	onDone, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		done <- read(args)
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer onDone.Release()
	handle, err := host.Call("deriveKey", d.Hash, d.Password, base64.StdEncoding.EncodeToString(d.Salt), d.Iterations, d.Size, onDone)
	if err != nil {
		return nil, err
	}
	if handle.IsUndefined() {
		return nil, errNone
	}
	select {
	case a := <-done:
		return a.key, a.err
	case <-ctx.Done():
		_, _ = handle.Call("cancel") // After cancel, kdf.js does not call onDone, so it may be released.
		return nil, ctx.Err()
	}
}

// read reads the arguments of onDone.
func read(args []safejs.Value) answer {
	failure, err := args[0].String()
	if err == nil && failure != "" {
		err = errors.New("kdf: " + failure)
	}
	if err != nil {
		return answer{err: err}
	}
	text, err := args[1].String()
	if err != nil {
		return answer{err: err}
	}
	key, err := base64.StdEncoding.DecodeString(text)
	return answer{key, err}
}
