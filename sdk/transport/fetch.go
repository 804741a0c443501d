package transport

import "context"

// MaxBody is the size in bytes of the largest document that is read.
const MaxBody = 64 << 10

// A Fetcher gets documents over HTTP. Natively it is implemented by
// transport/web, in a browser by wasm/fetch.
type Fetcher interface {
	// Fetch gets the document at url, without cookies or other credentials,
	// and gives up when ctx ends. A status is no error, whatever it is; a body
	// of more than MaxBody bytes is one. A redirection is never followed: it is
	// an error or a status.
	Fetch(ctx context.Context, url string) (Response, error)
}

// A Response is what a server answered. Body need be set only if Status is 200.
type Response struct {
	Status int
	Body   string
}
