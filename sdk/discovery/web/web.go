//go:build !js

// Package web fetches natively, with net/http. A program inside a browser uses
// the browser's own fetch instead.
package web

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"xmpp-pam/sdk/discovery"
)

// A Fetcher fetches over HTTP and HTTPS, and sends no cookies.
type Fetcher struct {
	// HTTPClient makes the requests; nil stands for http.DefaultClient. Set one
	// to trust other certificates or to use a proxy.
	HTTPClient *http.Client
}

var _ discovery.Fetcher = (*Fetcher)(nil)

// Fetch implements discovery.Fetcher. A redirection is its status.
func (f *Fetcher) Fetch(ctx context.Context, url string) (discovery.Response, error) {
	client := http.DefaultClient
	if f.HTTPClient != nil {
		client = f.HTTPClient
	}
	direct := *client
	direct.Jar = nil
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return discovery.Response{}, err
	}
	answer, err := direct.Do(request)
	if err != nil {
		return discovery.Response{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return discovery.Response{Status: answer.StatusCode}, nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, discovery.MaxBody+1))
	switch {
	case err != nil:
		return discovery.Response{}, err
	case len(body) > discovery.MaxBody:
		return discovery.Response{}, fmt.Errorf("the document is larger than %d bytes", discovery.MaxBody)
	}
	return discovery.Response{Status: answer.StatusCode, Body: string(body)}, nil
}
