//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// create makes the client. If the browser denies storage, the client uses memory,
// and a warning reports this.
func (b *bridge) create(ctx context.Context, r request) (func(*writer), error) {
	opts := b.options(r)
	var refused error // why the client stores nothing
	if r.string("storage") == "indexeddb" {
		opts.Store, refused = b.openStore(ctx, opts.Account)
	}
	c, err := client.New(opts)
	if err != nil {
		if opts.Store != nil {
			_ = opts.Store.Close()
		}
		return nil, err
	}
	b.mu.Lock()
	b.client = c
	b.mu.Unlock()
	why := ""
	if refused != nil {
		why = refused.Error()
		b.warn(client.Warning{Err: storageError(pam.CodeStorage, refused,
			"IndexedDB cannot be used (%v). The list is kept in memory until the page is closed.")})
	}
	return func(w *writer) {
		w.object(func() {
			w.text("account", bareAccount(opts.Account))
			w.text("database", b.database)
			w.text("why", why)
		})
	}, nil
}

// options returns the options in the request, without the store.
func (b *bridge) options(r request) *client.Options {
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
		Reconnect: &client.Reconnect{
			Base:        time.Duration(r.int("baseMs")) * time.Millisecond,
			Max:         time.Duration(r.int("maxMs")) * time.Millisecond,
			NoJitter:    r.bool("noJitter"),
			MaxAttempts: r.int("maxAttempts"),
			Off:         r.bool("reconnectOff"),
		},
		OnEvent: b.onEvent,
	}
	if r.bool("inspector") {
		opts.OnFrame = b.onFrame
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

// databaseName returns the same name for all spellings of an account. The name is a
// hash, so that lists of databases do not show the account; but a script of this
// origin can check whether a name belongs to an account that it knows.
func databaseName(account string) (string, error) {
	j, err := jid.Parse(account)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(j.Bare().String()))
	return "xmpp-pam:" + hex.EncodeToString(sum[:16]), nil
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
