//go:build !js

// Package web implements transport.Fetcher natively with net/http. Programs in a
// browser use the browser's fetch instead.
package web

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"xmpp-pam/sdk/transport"
)

// A Fetcher fetches documents over HTTP and HTTPS. It sends no cookies.
type Fetcher struct {
	// HTTPClient makes the requests; nil means http.DefaultClient. Set it to trust
	// other certificates or to use a proxy.
	HTTPClient *http.Client
}

var _ transport.Fetcher = (*Fetcher)(nil)

// Fetch implements transport.Fetcher. For a redirect it returns the status.
func (f *Fetcher) Fetch(ctx context.Context, url string) (transport.Response, error) {
	client := http.DefaultClient
	if f.HTTPClient != nil {
		client = f.HTTPClient
	}
	direct := *client
	direct.Jar = nil
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return transport.Response{}, err
	}
	answer, err := direct.Do(request)
	if err != nil {
		return transport.Response{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return transport.Response{Status: answer.StatusCode}, nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, transport.MaxBody+1))
	switch {
	case err != nil:
		return transport.Response{}, err
	case len(body) > transport.MaxBody:
		return transport.Response{}, fmt.Errorf("the document is larger than %d bytes", transport.MaxBody)
	}
	return transport.Response{Status: answer.StatusCode, Body: string(body)}, nil
}
