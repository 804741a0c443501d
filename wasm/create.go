//go:build js && wasm

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/fetch"
	"xmpp-pam/wasm/idb"
	"xmpp-pam/wasm/kdf"
	"xmpp-pam/wasm/socket"
)

// create makes the client, or joins the page to the client that another page has made
// with the same options. If the browser denies storage, the client uses memory, and a
// warning reports this.
func (b *bridge) create(ctx context.Context, r request) (func(*writer), error) {
	b.createMu.Lock()
	defer b.createMu.Unlock()
	account := bareAccount(r.string("account"))
	shared := sharedOptions(account, r)
	b.mu.Lock()
	joins := b.client != nil
	b.mu.Unlock()
	switch {
	case !joins:
		if err := b.makeClient(ctx, r); err != nil {
			return nil, err
		}
		b.options = shared
	case shared != b.options:
		return nil, &pam.Error{Code: pam.CodeBadOptions, Origin: pam.FromClient, Condition: "other-options",
			Text: "Another page of this origin uses the account with other options."}
	}
	b.mu.Lock()
	r.page.created, r.page.interests, r.page.frames = true, r.interests(), r.bool("inspector")
	b.mu.Unlock()
	if joins {
		b.updateNeeds()
	} else {
		b.client.Inspect(r.page.frames)
	}
	return func(w *writer) {
		w.object(func() {
			w.text("account", account)
			w.text("database", b.database)
			w.text("why", b.why)
		})
	}, nil
}

// sharedOptions returns a text of the options that all pages of a client must share.
func sharedOptions(account string, r request) string {
	return fmt.Sprintf("%q", []string{account, r.string("url"), fmt.Sprint(r.strings("followTo")), fmt.Sprint(r.strings("mechanisms")), r.string("storage"), r.string("directory"),
		fmt.Sprint(r.int("baseMs"), r.int("maxMs"), r.bool("noJitter"), r.int("maxAttempts"), r.bool("reconnectOff"))})
}

func (b *bridge) makeClient(ctx context.Context, r request) error {
	b.database, b.why = "", "" // of the client before, whose last page has closed
	opts := b.clientOptions(r)
	var refused error // why the client stores nothing
	what := "IndexedDB"
	switch r.string("storage") {
	case "indexeddb":
		opts.Store, refused = b.openStore(ctx, opts.Account)
	case "files":
		what = "The directory of files"
		opts.Store, refused = openFiles(r.string("directory"), opts.Account)
	}
	c, err := client.New(opts)
	if err != nil {
		if opts.Store != nil {
			_ = opts.Store.Close()
		}
		return err
	}
	if refused != nil {
		b.why = refused.Error()
	}
	b.mu.Lock()
	b.client = c
	b.mu.Unlock()
	if opts.Store != nil {
		_, _ = b.host.Call("openChannel", bareAccount(opts.Account))
	}
	if refused != nil {
		b.warn(client.Warning{Err: storageError(pam.CodeStorage, refused,
			what+" cannot be used (%v). The list is kept in memory until the client is closed.")})
	}
	return nil
}

// clientOptions returns the options in the request, without the store.
func (b *bridge) clientOptions(r request) *client.Options {
	opts := &client.Options{
		Account:     r.string("account"),
		URL:         r.string("url"),
		Credentials: b.credentials,
		Mechanisms:  r.strings("mechanisms"),
		Derive:      kdf.New(b.host),
		Dialer:      socket.New(b.host),
		Fetcher:     fetch.New(b.host),
		FollowTo:    r.strings("followTo"),
		Tab:         r.string("tab"),
		Resume:      r.string("resume"),
		Interests:   r.interests(),
		Reconnect: &client.Reconnect{
			Base:        time.Duration(r.int("baseMs")) * time.Millisecond,
			Max:         time.Duration(r.int("maxMs")) * time.Millisecond,
			NoJitter:    r.bool("noJitter"),
			MaxAttempts: r.int("maxAttempts"),
			Off:         r.bool("reconnectOff"),
		},
		OnEvent: b.onEvent,
		OnFrame: b.onFrame,
	}
	return opts
}

// openStore opens the database of the account.
func (b *bridge) openStore(ctx context.Context, account string) (store.Store, error) {
	name, err := databaseName(account)
	if err != nil {
		return nil, err // New reports the error.
	}
	s, err := idb.Open(ctx, b.host, name, b.onStoreProblem)
	if err != nil {
		return nil, err
	}
	b.database = name
	return s, nil
}

// bareAccount returns the account as RFC 7622 normalises it, so that all
// spellings of it share one channel between tabs, as they share one database; ""
// if it is not a JID.
func bareAccount(account string) string {
	j, err := jid.Parse(account)
	if err != nil {
		return ""
	}
	return j.Bare().String()
}

// databaseName returns the same name for all spellings of an account: that of
// js/src/stored-list.ts for the normalised one.
func databaseName(account string) (string, error) {
	j, err := jid.Parse(account)
	if err != nil {
		return "", err
	}
	return "xmpp-pam:" + j.Bare().String(), nil
}

// onStoreProblem posts a warning for an error that package idb reports between operations.
func (b *bridge) onStoreProblem(err error) {
	if e, ok := errors.AsType[*idb.Error](err); ok && e.Op == "delete" {
		b.warn(client.Warning{Err: storageError(pam.CodeStorage, err,
			"All that was stored for the account is deleted, but another page keeps the empty database open (%v). "+
				"The browser deletes it when that page is closed; until then nothing can be stored.")})
		return
	}
	b.warn(client.Warning{Err: storageError(pam.CodeStorageLost, err,
		"The database was closed by the browser or by another page (%v). It is opened again when it is needed.")})
}

func storageError(code pam.Code, err error, format string) *pam.Error {
	return &pam.Error{Code: code, Origin: pam.FromStorage, Err: err, Text: fmt.Sprintf(format, err)}
}
