//go:build js && wasm

// Package fetch implements [transport.Fetcher] with the browser's fetch.
package fetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/transport"
)

// A Fetcher fetches documents with the permissions of the page or worker.
type Fetcher struct {
	host safejs.Value
}

var _ transport.Fetcher = Fetcher{}

// New returns a Fetcher that uses host.fetchDocument, the function that fetch.js
// exports.
//
// A browser does not report why a fetch failed: an unreachable server, a bad
// certificate, a redirection, a server that does not allow the page's origin to
// read its answer (CORS) and a fetch that the page's Content-Security-Policy
// forbids all give the same error.
func New(host safejs.Value) Fetcher { return Fetcher{host: host} }

// An answer holds the arguments with which fetch.js calls onDone.
type answer struct {
	response transport.Response
	err      error
}

// Fetch implements [transport.Fetcher].
func (f Fetcher) Fetch(ctx context.Context, url string) (transport.Response, error) {
	if err := ctx.Err(); err != nil {
		return transport.Response{}, err
	}
	done := make(chan answer, 1)
	onDone, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
		done <- read(args)
		return nil
	})
	if err != nil {
		return transport.Response{}, err
	}
	defer onDone.Release()
	handle, err := f.host.Call("fetchDocument", url, transport.MaxBody, onDone)
	if err != nil {
		return transport.Response{}, err
	}
	select {
	case a := <-done:
		return a.response, a.err
	case <-ctx.Done():
		_, _ = handle.Call("cancel") // After cancel, fetch.js does not call onDone, so it may be released.
		return transport.Response{}, ctx.Err()
	}
}

// read reads the arguments of onDone.
func read(args []safejs.Value) answer {
	failure, err := args[0].String()
	if err != nil {
		return answer{err: err}
	}
	switch failure {
	case "":
	case "large":
		return answer{err: fmt.Errorf("the document is larger than %d bytes", transport.MaxBody)}
	case "text":
		return answer{err: errors.New("the document is not UTF-8")}
	default:
		return answer{err: fmt.Errorf("the browser gives no reason: check that the server answers there without a redirection, that it "+
			"allows every origin to read the answer (CORS: Access-Control-Allow-Origin: *), and that connect-src of the page's "+
			"Content-Security-Policy allows the address (%s)", failure)}
	}
	status, err := args[1].Int()
	if err != nil {
		return answer{err: err}
	}
	body, err := args[2].String()
	return answer{transport.Response{Status: status, Body: body}, err}
}
