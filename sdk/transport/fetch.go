package transport

import "context"

// MaxBody is the maximum size in bytes of a document.
const MaxBody = 64 << 10

// A Fetcher gets documents over HTTP. Natively it is implemented by
// transport/web, in a browser by wasm/fetch.
type Fetcher interface {
	// Fetch gets the document at url, without cookies or other credentials. It
	// returns an error when ctx ends and when the body has more than MaxBody
	// bytes; an HTTP status is never an error. Fetch does not follow redirects: it
	// returns their status or an error.
	Fetch(ctx context.Context, url string) (Response, error)
}

// A Response is the response of a web server. Body is required only if Status is
// 200.
type Response struct {
	Status int
	Body   string
}
