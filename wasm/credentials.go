//go:build js && wasm

package main

import (
	"context"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
)

// An answer is a page's answer to a request for credentials.
type answer struct {
	ask      int // the request
	password string
	failed   string // the whole text of an error
	wrong    bool   // the page's function did not return credentials
}

// askTime is how long the program waits for credentials before it asks another page too.
const askTime = 30 * time.Second

// credentials requests credentials from a page: the visible one that was used last, and
// after askTime, or when that page has ended, the next one as well. The first answer
// counts.
func (b *bridge) credentials(ctx context.Context, request client.CredentialRequest) (client.Credentials, error) {
	got := make(chan answer, 1)
	asked := map[*page]int{} // the number of each request
	defer func() {
		b.mu.Lock()
		for _, ask := range asked {
			delete(b.answers, ask)
		}
		b.mu.Unlock()
	}()
	cancel := func(answered int) {
		for p, ask := range asked {
			if ask != answered {
				b.event(p.itself, "credentials", func(w *writer) {
					w.key("ask")
					w.int(int64(ask))
					w.key("canceled")
					w.bool(true)
				})
			}
		}
	}
	for {
		p, joined := b.nextToAsk(asked)
		gone := joined
		if p != nil {
			gone = p.gone
			b.ask(p, request, got, asked)
		}
		more := time.NewTimer(b.askTime)
		select {
		case a := <-got:
			more.Stop()
			cancel(a.ask)
			return a.credentials()
		case <-gone:
		case <-more.C:
		case <-ctx.Done():
			more.Stop()
			cancel(0)
			return client.Credentials{}, ctx.Err()
		}
		more.Stop()
	}
}

// nextToAsk returns the page that was used last of those that have not been asked. If
// there is none, it returns a channel that is closed when another page joins. A page that
// is asleep is not asked.
func (b *bridge) nextToAsk(asked map[*page]int) (next *page, joined <-chan struct{}) {
	b.mu.Lock()
	joined = b.joined
	b.mu.Unlock()
	for _, p := range b.only(everyPage) {
		if _, ok := asked[p]; !ok && (next == nil || p.used > next.used) {
			next = p
		}
	}
	return next, joined
}

// ask requests credentials from a page.
func (b *bridge) ask(p *page, request client.CredentialRequest, got chan answer, asked map[*page]int) {
	b.mu.Lock()
	b.lastAsk++
	ask := b.lastAsk
	asked[p] = ask
	b.answers[ask] = got
	b.mu.Unlock()
	b.event(p.itself, "credentials", func(w *writer) {
		w.key("ask")
		w.int(int64(ask))
		w.text("reason", request.Reason)
		w.key("mechanisms")
		writeStrings(w, request.Mechanisms)
	})
}

func (b *bridge) answerCredentials(r request) {
	ask := r.int("ask")
	b.mu.Lock()
	got := b.answers[ask]
	delete(b.answers, ask)
	b.mu.Unlock()
	if got == nil {
		return
	}
	select {
	case got <- answer{ask: ask, password: r.string("password"), failed: r.string("failed"), wrong: r.bool("wrong")}:
	default: // another page has answered
	}
}

func (a answer) credentials() (client.Credentials, error) {
	if a.failed == "" {
		return client.Credentials{Password: a.password}, nil
	}
	code := pam.CodeAborted
	if a.wrong {
		code = pam.CodeBadOptions
	}
	return client.Credentials{}, &pam.Error{Code: code, Origin: pam.FromClient, Text: a.failed}
}
