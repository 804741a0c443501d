//go:build js && wasm

package main

import (
	"context"
	"errors"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/idb"
)

// operations are the operations that the host may request. An operation returns a
// function that writes its result; it may wait, and ends when its context ends.
//
//	create       {account, url, followTo, mechanisms, storage, directory of
//	              "files", inspector, reconnect…, interests, tab, resume} →
//	              {account, normalised; database, its name; why, if nothing can be stored}
//	load         reads what is stored, and posts the event list
//	connect      → {state, ver}
//	subscribe    {service, node} → a row
//	unsubscribe  {service, node, subid}
//	refresh      {ignoreVersion}
//	iq           {to, type, xml} → the payload of the result
//	send         {to, type, xml}
//	parseURI     {uri} → {service, node}
//	publish      {service, node, item, xml} → the item's id
//	retract      {service, node, item}
//	items        {service, node, subid, max, items} → [{id, publisher, occurredAt,
//	              namespace, xml, entry}, …]
//	createNode   {service, node, form} → its name
//	deleteNode   {service, node, redirect}
//	nodes        {service, max, after} → {nodes, next}
//	nodeInfo     {service, node} → {service, node, title, …}
//	getOptions   {service, node, subid} → a form
//	setOptions   {service, node, subid, form}
//	inbox        posts the event inbox, and from then on what changes
//	events       {service, node, unseenOnly, before, limit} → {events, cursor}
//	markSeen     {ids} or {upTo}
//	looked       begins away anew
//	catchUp      continues the catch-up, and posts the event inbox
//	cancelCatchUp
//	setInterests {interests}: null, or [[service, node, "*" or "", payload], …]
//	export       → {account, list, ver, lastFull, lastSynced, mechanism, sessions}
//	disconnect, forget, reload, sleep, wake, close
//
// js/src/wire.ts has the same table for TypeScript, and a test compares the two.
var operations = map[string]operation{
	"create":        (*bridge).create,
	"load":          withClient((*bridge).load),
	"connect":       withClient((*bridge).connect),
	"subscribe":     withClient((*bridge).subscribe),
	"unsubscribe":   withClient((*bridge).unsubscribe),
	"refresh":       withClient((*bridge).refresh),
	"iq":            withClient((*bridge).iq),
	"send":          withClient((*bridge).send),
	"parseURI":      withClient((*bridge).parseURI),
	"publish":       withClient((*bridge).publish),
	"retract":       withClient((*bridge).retract),
	"items":         withClient((*bridge).items),
	"createNode":    withClient((*bridge).createNode),
	"deleteNode":    withClient((*bridge).deleteNode),
	"nodes":         withClient((*bridge).nodes),
	"nodeInfo":      withClient((*bridge).nodeInfo),
	"getOptions":    withClient((*bridge).getOptions),
	"setOptions":    withClient((*bridge).setOptions),
	"inbox":         withClient((*bridge).openInbox),
	"events":        withClient((*bridge).listEvents),
	"markSeen":      withClient((*bridge).markSeen),
	"looked":        withClient((*bridge).looked),
	"catchUp":       withClient((*bridge).continueCatchUp),
	"cancelCatchUp": withClient((*bridge).cancelCatchUp),
	"setInterests":  withClient((*bridge).setInterests),
	"export":        withClient((*bridge).export),
	"disconnect":    withClient((*bridge).disconnect),
	"forget":        withClient((*bridge).forget),
	"close":         withClient((*bridge).close),
	"reload":        withClient(now((*client.Client).Reload)),
	"sleep":         withClient(now((*client.Client).Sleep)),
	"wake":          withClient(now((*client.Client).Wake)),
}

// notices are the requests without a result. They take effect immediately, before
// dispatch returns.
//
//	cancel       {target: id}
//	gone         the page has ended without close
//	show         {visible}: whether the user looks at the page
//	suspend      {freezes}: posts nothing more to the page; whether the browser suspends
//	             the program with the last such page
//	resume       posts again, first everything that may have changed
//	credentials  {ask, password | failed, wrong}
//	listen       {messages, events}: whether to post messages, and the events of the inbox
var notices = map[string]func(*bridge, request){
	"cancel":      func(b *bridge, r request) { b.cancel(requestKey{r.page.number, r.int("target")}) },
	"gone":        (*bridge).pageGone,
	"show":        (*bridge).show,
	"suspend":     (*bridge).suspend,
	"resume":      (*bridge).resume,
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

func (b *bridge) load(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	if _, err := c.Load(ctx); err != nil {
		return nil, err
	}
	b.listTo(r.page, c)
	if s := c.State(); s.Phase != pam.PhaseOffline {
		b.state(r.page.itself, s) // another page has connected the client
	}
	return nil, nil
}

func (b *bridge) connect(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	b.want(r.page, true)
	state, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return func(w *writer) { writeState(w, state) }, nil
}

// disconnect has no effect while another page wants to be connected.
func (b *bridge) disconnect(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	if b.want(r.page, false) {
		return nil, nil
	}
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

// close ends the client if this is its last page. The program ends when the result is
// posted.
func (b *bridge) close(ctx context.Context, c *client.Client, r request) (func(*writer), error) {
	b.createMu.Lock() // A page that joins now gets a new client.
	defer b.createMu.Unlock()
	b.mu.Lock()
	last := len(b.pages) == 1
	b.mu.Unlock()
	if !last {
		return b.disconnect(ctx, c, r)
	}
	err := c.Close()
	b.mu.Lock()
	b.client = nil
	b.mu.Unlock()
	return nil, err
}
