//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/hack-pad/safejs"
	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/fetch"
	"xmpp-pam/wasm/idb"
	"xmpp-pam/wasm/kdf"
	"xmpp-pam/wasm/socket"
)

// operations are the operations that the host may request. An operation returns a
// function that writes its result; it may wait, and ends when its context ends.
//
//	create       {account, url, followTo, mechanisms, storage, inspector,
//	              reconnect…, tab, resume} → {account, normalised; database, its
//	              name; why, if nothing can be stored}
//	load         reads what is stored, and posts the event list
//	connect      → {state, ver}
//	subscribe    {service, node} → a row
//	unsubscribe  {service, node, subid}
//	refresh      {ignoreVersion}
//	export       → {account, list, ver, lastFull, lastSynced, mechanism, sessions}
//	disconnect, forget, reload, sleep, wake, close
//
// js/src/wire.ts has the same table for TypeScript, and a test compares the two.
var operations = map[string]operation{
	"create":      (*bridge).create,
	"load":        withClient((*bridge).load),
	"connect":     withClient((*bridge).connect),
	"subscribe":   withClient((*bridge).subscribe),
	"unsubscribe": withClient((*bridge).unsubscribe),
	"refresh":     withClient((*bridge).refresh),
	"export":      withClient((*bridge).export),
	"disconnect":  withClient((*bridge).disconnect),
	"forget":      withClient((*bridge).forget),
	"close":       withClient((*bridge).close),
	"reload":      withClient(now((*client.Client).Reload)),
	"sleep":       withClient(now((*client.Client).Sleep)),
	"wake":        withClient(now((*client.Client).Wake)),
}

// notices are the requests without a result. They take effect immediately, before
// dispatch returns.
//
//	cancel       {target: id}
//	credentials  {ask, password | failed, wrong}
//	listen       {messages}: whether to post messages
var notices = map[string]func(*bridge, request){
	"cancel":      func(b *bridge, r request) { b.cancel(r.int("target")) },
	"credentials": (*bridge).answerCredentials,
	"listen":      (*bridge).listen,
}

type (
	operation       func(*bridge, context.Context, request) (func(*writer), error)
	clientOperation func(*bridge, context.Context, *client.Client, request) (func(*writer), error)
)

// withClient adapts a function that needs the client to an operation.
func withClient(run clientOperation) operation {
	return func(b *bridge, ctx context.Context, r request) (func(*writer), error) {
		b.mu.Lock()
		c := b.client
		b.mu.Unlock()
		if c == nil {
			return nil, errors.New("there is no client yet")
		}
		return run(b, ctx, c, r)
	}
}

// now adapts a function that has no result and cannot fail to an operation.
func now(run func(*client.Client)) clientOperation {
	return func(_ *bridge, _ context.Context, c *client.Client, _ request) (func(*writer), error) {
		run(c)
		return nil, nil
	}
}

// create makes the client. If the browser denies storage, the client uses memory,
// and a warning reports this.
func (b *bridge) create(ctx context.Context, r request) (func(*writer), error) {
	opts := b.options(r)
	var refused error // why nothing is stored
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
		return nil, err // New reports what is wrong with it.
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

func (b *bridge) load(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	if _, err := c.Load(ctx); err != nil {
		return nil, err
	}
	b.list("list", func() ([]pam.Change, func(*writer)) {
		s := c.Snapshot()
		changes := make([]pam.Change, len(s.List))
		for i := range changes {
			changes[i].After = &s.List[i]
		}
		return changes, func(w *writer) {
			w.key("provisional")
			writeProvisional(w, s.Provisional)
			w.text("ver", string(s.Version))
			w.text("source", string(s.Source))
		}
	})
	return nil, nil
}

func (b *bridge) connect(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	state, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeState(w, state) }, nil
}

func (b *bridge) disconnect(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	return nil, c.Disconnect(ctx)
}

func (b *bridge) subscribe(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	row, err := c.Subscribe(ctx, r.target())
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeRow(w, row) }, nil
}

func (b *bridge) unsubscribe(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.Unsubscribe(ctx, r.target())
}

func (b *bridge) refresh(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	return nil, c.Refresh(ctx, r.bool("ignoreVersion"))
}

func (b *bridge) export(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	e, err := c.Export(ctx)
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeExport(w, e) }, nil
}

// forget deletes the database also if the client has stopped using it, for example
// because there was no space left, or stops using it now.
func (b *bridge) forget(ctx context.Context, c *client.Client, _ request) (func(*writer), error) {
	err := c.Forget(ctx)
	if err != nil && c.State().Storage.Degraded && idb.Delete(ctx, b.host, b.database) == nil {
		// The client uses memory now: this erases it, whatever the first call has
		// done, and reports again that the store has failed.
		if err = c.Forget(ctx); errors.Is(err, &pam.Error{Code: pam.CodeStorage}) {
			err = nil
		}
	}
	return nil, err
}

// close ends the client. The program ends when the result is posted.
func (b *bridge) close(_ context.Context, c *client.Client, _ request) (func(*writer), error) {
	return nil, c.Close()
}

// A request is one call of dispatch. Its methods return zero for a member that is
// absent or of another type: the host has checked the options of its callers.
type request struct {
	id    int
	op    string
	value safejs.Value
}

func readRequest(v safejs.Value) request {
	r := request{value: v}
	r.id, r.op = r.int("id"), r.string("op")
	return r
}

func (r request) string(name string) string {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeString {
		return ""
	}
	s, _ := v.String()
	return s
}

func (r request) int(name string) int {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeNumber {
		return 0
	}
	n, _ := v.Int()
	return n
}

func (r request) bool(name string) bool {
	v, err := r.value.Get(name)
	if err != nil {
		return false
	}
	b, err := v.Bool()
	return err == nil && b
}

// strings returns nil if the member is not an array of strings.
func (r request) strings(name string) []string {
	v, err := r.value.Get(name)
	if err != nil || v.Type() != safejs.TypeObject {
		return nil
	}
	n, err := v.Length()
	if err != nil {
		return nil
	}
	list := make([]string, 0, n)
	for i := range n {
		item, err := v.Index(i)
		if err != nil || item.Type() != safejs.TypeString {
			return nil
		}
		s, err := item.String()
		if err != nil {
			return nil
		}
		list = append(list, s)
	}
	return list
}

func (r request) target() pam.Target {
	return pam.Target{Service: r.string("service"), Node: r.string("node"), SubID: r.string("subid")}
}
