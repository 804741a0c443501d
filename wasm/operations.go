//go:build js && wasm

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/hack-pad/safejs"
	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
	"xmpp-pam/wasm/fetch"
	"xmpp-pam/wasm/idb"
	"xmpp-pam/wasm/socket"
)

// operations are what the host may ask for. An operation returns what writes
// its result; it may wait, and ends with its context.
//
//	create       {account, url, followTo, mechanisms, storage, inspector,
//	              reconnect…, tab, resume} → {why}, if nothing can be stored
//	load         reads what is stored, and posts the event list
//	connect      → {state, ver}
//	subscribe    {service, node} → a row
//	unsubscribe  {service, node, subid}
//	refresh      {ignoreVersion}
//	export       → {account, list, ver, lastFull, lastSynced, sessions}
//	disconnect, forget, reload, sleep, wake, drop, close
//	cancel       {target: id}                     at once, no result
//	credentials  {ask, password | failed, wrong}  at once, no result
var operations = map[string]func(*bridge, context.Context, request) (func(*writer), error){
	"create":      (*bridge).create,
	"load":        (*bridge).load,
	"connect":     (*bridge).connect,
	"disconnect":  (*bridge).disconnect,
	"subscribe":   (*bridge).subscribe,
	"unsubscribe": (*bridge).unsubscribe,
	"refresh":     (*bridge).refresh,
	"export":      (*bridge).export,
	"forget":      (*bridge).forget,
	"reload":      (*bridge).reload,
	"sleep":       (*bridge).sleep,
	"wake":        (*bridge).wake,
	"drop":        (*bridge).drop,
	"close":       (*bridge).close,
}

// create makes the client. Storage that is refused is replaced by memory, and
// a warning says so.
func (b *bridge) create(ctx context.Context, r request) (func(*writer), error) {
	opts := &client.Options{
		Account:     r.string("account"),
		URL:         r.string("url"),
		Credentials: b.credentials,
		Mechanisms:  r.strings("mechanisms"),
		Dialer:      socket.New(b.host),
		Fetcher:     fetch.New(b.host),
		FollowTo:    r.strings("followTo"),
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
	why := "" // nothing is stored
	if r.string("storage") == "indexeddb" {
		s, err := b.openStore(ctx, opts.Account)
		if err != nil {
			why = err.Error()
			b.warn(client.Warning{Err: &client.Error{Code: client.CodeStorage, Origin: client.FromStorage, Err: err,
				Text: "IndexedDB cannot be used (" + err.Error() + "). The list is kept in memory until the page is closed."}})
		} else {
			opts.Store, opts.Tab, opts.Resume = s, r.string("tab"), r.string("resume")
		}
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
	return func(w *writer) {
		w.object(func() {
			w.text("why", why)
		})
	}, nil
}

// openStore opens the account's own database, whose domain is its server. Its
// name gives away no account, and is the same however the account is written.
func (b *bridge) openStore(ctx context.Context, account string) (store.Store, error) {
	j, err := jid.Parse(account)
	if err != nil {
		return nil, err // New says what is wrong with it.
	}
	sum := sha256.Sum256([]byte(j.Bare().String()))
	s, err := idb.Open(ctx, b.host, "xmpp-pam:"+hex.EncodeToString(sum[:16]), func(err error) {
		b.warn(client.Warning{Err: &client.Error{Code: "storage-lost", Origin: client.FromStorage, Err: err,
			Text: "The database was closed by the browser or by another page (" + err.Error() + "). It is opened again when it is needed."}})
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (b *bridge) load(ctx context.Context, _ request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
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

func (b *bridge) connect(ctx context.Context, _ request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	state, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeState(w, state) }, nil
}

func (b *bridge) disconnect(ctx context.Context, _ request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	return nil, c.Disconnect(ctx)
}

func (b *bridge) subscribe(ctx context.Context, r request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	row, err := c.Subscribe(ctx, r.target())
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeRow(w, row) }, nil
}

func (b *bridge) unsubscribe(ctx context.Context, r request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	return nil, c.Unsubscribe(ctx, r.target())
}

func (b *bridge) refresh(ctx context.Context, r request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	return nil, c.Refresh(ctx, r.bool("ignoreVersion"))
}

func (b *bridge) export(ctx context.Context, _ request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	e, err := c.Export(ctx)
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeExport(w, e) }, nil
}

func (b *bridge) forget(ctx context.Context, _ request) (func(*writer), error) {
	c, err := b.current()
	if err != nil {
		return nil, err
	}
	return nil, c.Forget(ctx)
}

func (b *bridge) reload(context.Context, request) (func(*writer), error) {
	c, err := b.current()
	if err == nil {
		c.Reload()
	}
	return nil, err
}

func (b *bridge) sleep(context.Context, request) (func(*writer), error) {
	c, err := b.current()
	if err == nil {
		c.Sleep()
	}
	return nil, err
}

func (b *bridge) wake(context.Context, request) (func(*writer), error) {
	c, err := b.current()
	if err == nil {
		c.Wake()
	}
	return nil, err
}

func (b *bridge) drop(context.Context, request) (func(*writer), error) {
	c, err := b.current()
	if err == nil {
		c.Drop()
	}
	return nil, err
}

// close ends the client. The program ends when the result is posted.
func (b *bridge) close(context.Context, request) (func(*writer), error) {
	c, err := b.current()
	if err == nil {
		err = c.Close()
	}
	return nil, err
}

func (b *bridge) current() (*client.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		return nil, errors.New("there is no client yet")
	}
	return b.client, nil
}

// A request is what the host asks for. Its methods return zero for what is
// absent or of another type: the host has checked what people give.
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

// strings returns nil for what is no array.
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
		if err != nil {
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

func (r request) target() client.Target {
	return client.Target{Service: r.string("service"), Node: r.string("node"), SubID: r.string("subid")}
}
