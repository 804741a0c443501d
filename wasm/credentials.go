//go:build js && wasm

package main

import (
	"context"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// An answer is the host's answer to a request for credentials.
type answer struct {
	password string
	failed   string // the whole text of an error
	wrong    bool   // the page's function did not return credentials
}

// credentials requests credentials from the host, which calls the page's function.
func (b *bridge) credentials(ctx context.Context, request client.CredentialRequest) (client.Credentials, error) {
	got := make(chan answer, 1)
	b.mu.Lock()
	b.lastAsk++
	ask := b.lastAsk
	b.answers[ask] = got
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.answers, ask)
		b.mu.Unlock()
	}()
	b.event("credentials", func(w *writer) {
		w.key("ask")
		w.int(int64(ask))
		w.text("reason", request.Reason)
		w.key("mechanisms")
		writeStrings(w, request.Mechanisms)
	})
	select {
	case a := <-got:
		if a.failed != "" {
			code := pam.CodeAborted
			if a.wrong {
				code = pam.CodeBadOptions
			}
			return client.Credentials{}, &pam.Error{Code: code, Origin: pam.FromClient, Text: a.failed}
		}
		return client.Credentials{Password: a.password}, nil
	case <-ctx.Done():
		b.event("credentials", func(w *writer) {
			w.key("ask")
			w.int(int64(ask))
			w.key("canceled")
			w.bool(true)
		})
		return client.Credentials{}, ctx.Err()
	}
}

func (b *bridge) answerCredentials(r request) {
	b.mu.Lock()
	got := b.answers[r.int("ask")]
	delete(b.answers, r.int("ask"))
	b.mu.Unlock()
	if got != nil {
		got <- answer{password: r.string("password"), failed: r.string("failed"), wrong: r.bool("wrong")}
	}
}
