package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"slices"
	"strconv"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// Time limits.
const (
	dialTimeout    = 20 * time.Second
	wakeTimeout    = 5 * time.Second // for the dialing, after a sleep of the program
	requestTimeout = 20 * time.Second
	connectTimeout = 2 * time.Minute // of the wait for the first attempt, redirections and all
	closeTimeout   = 3 * time.Second
	deriveTimeout  = time.Minute      // for the key of the log-in, which this device computes
	lastWords      = time.Second      // for the server's reason, once sending fails
	oversizedWait  = 10 * time.Minute // once two attempts in a row ended with a message that is too large
	stableAfter    = time.Minute      // a connection this old resets the back-off
	relistAfter    = 5 * time.Second  // after the server could not give the list
)

// capsNode names the software in entity capabilities. XEP-0115 §4 recommends the
// address of a page about it; as long as there is none, it is a UUID (RFC 9562),
// which is unique and promises no page.
const capsNode = "urn:uuid:1f0cb6b2-6f0a-4b7e-9a53-0c8f3d2e7a41"

// The owner holds all state of a Client. Its methods run on the owner's
// goroutine only; other goroutines reach it through Client.post.
type owner struct {
	c       *Client
	opts    Options
	policy  Reconnect
	account jid.JID
	places  places
	info    *disco.Info

	storage         storage
	sync            syncRecord
	reading, loaded bool          // the first reading of the store has begun, has ended
	emptying        int           // calls of Forget under way
	loading         []func(error) // who waits for the reading and the emptying
	reloads         int           // readings because another Client has changed the store

	reader   *listsync.Reader
	machine  *listsync.Machine
	inputs   []listsync.Input // waiting while the outputs of another are carried out
	stepping bool
	timers   map[listsync.Timer]*timer
	source   pam.Source
	shown    pam.Source // as it was announced

	wanted  bool // the page wants to be connected
	conn    *connection
	session *session // nil if there is none

	suspended *stream.Resumption // the session, while no connection carries it
	restored  *sessionRecord     // what the store said of a session of an earlier run
	outdated  bool               // a store that failed holds an older record of the session
	outbox    []*element.Element // stanzas to send once the session is resumed
	delivered uint64             // stanzas of this session
	handled   uint64             // those of them that need not come again
	saver     sessionSaver
	ignores   ignoreLog
	hints     hintLimit
	frames    frameLog

	running   map[*timer]bool
	waiters   []*waiter // of connect
	rejected  bool      // the last credentials were refused
	wasLive   bool      // a session of this Client has been live
	attempt   int
	oversized int // attempts in a row that a message ended that is too large
	retry     *timer
	relist    *timer
	state     pam.SyncState

	requests   map[string]*request
	operations []*operation
	refreshes  []*refreshing
	heard      map[pam.Key]pam.Subscription // the machine's overlay
	overlaid   bool                         // what lies over the list may differ from what was shown
	listError  *pam.Error                   // why the last list failed
}

// A waiter is a call of connect. It is gone when its caller has given up.
type waiter struct {
	reply func(error)
	time  budget
	gone  bool
}

func newOwner(c *Client, opts *Options, account jid.JID, where places) *owner {
	o := &owner{
		c: c, opts: *opts, account: account, places: where,
		reader:   listsync.NewReader(account),
		machine:  listsync.NewMachine(),
		timers:   map[listsync.Timer]*timer{},
		running:  map[*timer]bool{},
		requests: map[string]*request{},
		heard:    map[pam.Key]pam.Subscription{},
		source:   pam.SourceEmpty,
	}
	if opts.Reconnect != nil {
		o.policy = *opts.Reconnect
	}
	if o.policy.Base <= 0 {
		o.policy.Base = 500 * time.Millisecond
	}
	if o.policy.Max <= 0 {
		o.policy.Max = time.Minute
	}
	if o.opts.Derive == nil {
		o.opts.Derive = func(ctx context.Context, d Derivation) ([]byte, error) { return d.Key(ctx.Err) }
	}
	if o.opts.Software == "" {
		o.opts.Software = "xmpp-pam"
	}
	if o.opts.Store == nil {
		o.opts.Store = store.NewMemory()
	}
	o.storage = storage{o: o, durable: &durable{store: o.opts.Store}}
	kind := "pc" // https://xmpp.org/registrar/disco-categories.html#client
	if runtime.GOOS == "js" {
		kind = "web"
	}
	o.info = disco.NewInfo(kind, o.opts.Software, ns.PAM, ns.Ping)
	o.state.Phase = pam.PhaseOffline
	return o
}

// step feeds the machine and carries out what it asks for. An input that comes
// up meanwhile waits until that is done, so that outputs keep their order.
func (o *owner) step(in listsync.Input) {
	o.inputs = append(o.inputs, in)
	if o.stepping {
		return
	}
	o.stepping = true
	for len(o.inputs) > 0 {
		next := o.inputs[0]
		o.inputs = o.inputs[1:]
		for _, out := range o.machine.Step(next) {
			o.perform(out)
		}
		o.settle()
	}
	o.stepping = false
	o.showProvisional()
}

func (o *owner) perform(out listsync.Output) {
	switch out := out.(type) {
	case listsync.RequestList:
		o.requestList(out)
	case listsync.Commit:
		o.commit(out)
	case listsync.Changed:
		o.announce(out)
	case listsync.Overlay:
		if out.Reset {
			clear(o.heard)
		}
		for _, s := range out.Items {
			o.heard[s.Key] = s
		}
		o.overlaid = true
	case listsync.PhaseChanged:
		o.phaseChanged(out)
	case listsync.SetTimer:
		o.setTimer(out)
	case listsync.ListingFailed:
		o.listingFailed()
	}
}

func (o *owner) announce(ch listsync.Changed) {
	origin := pam.OriginOtherDevice
	if ch.Resync {
		origin = pam.OriginResync
	}
	if len(ch.Changes) > 0 && !slices.ContainsFunc(ch.Changes, func(c pam.Change) bool { return !o.isOwn(c) }) {
		origin = pam.OriginThisDevice
	}
	if o.state.Phase == pam.PhaseLive && o.state.Missing == nil {
		o.state.LastSynced = time.Now()
		o.publish()
	}
	o.publishSnapshot()
	o.emit(Changed{Changes: ch.Changes, From: ch.From, To: ch.To, Origin: origin, Source: o.source})
	o.overlaid = true
}

func (o *owner) setTimer(t listsync.SetTimer) {
	o.timers[t.Timer].stop()
	delete(o.timers, t.Timer)
	if t.Millis != 0 {
		o.timers[t.Timer] = o.after(time.Duration(t.Millis)*time.Millisecond, func() {
			delete(o.timers, t.Timer)
			o.step(listsync.TimerFired{Timer: t.Timer})
		})
	}
}

// close ends everything; the inbox is not read any more. The error is the store's.
func (o *owner) close() error {
	if o.conn != nil {
		o.conn.hangup()
		o.conn = nil
	}
	for t := range o.running {
		t.stop()
	}
	var last []store.Op
	if o.saver.stored && o.suspended == nil { // What was forgotten last may not have been removed yet.
		last = append(last, store.Delete(sessionKey(o.opts.Tab)))
	}
	return o.storage.close(last...)
}

// publish announces the state if it differs.
func (o *owner) publish() {
	o.state.Pending = len(o.operations)
	o.state.Attempt = o.attempt
	o.c.mu.Lock()
	before := o.c.state
	o.c.state = o.state
	o.c.mu.Unlock()
	if !sameState(before, o.state) {
		o.emit(StateChanged{State: o.state})
	}
}

func (o *owner) publishSnapshot() {
	list, stamp := o.machine.Committed()
	o.shown = o.source
	o.c.mu.Lock()
	o.c.list, o.c.snapshot.Version, o.c.snapshot.Source = list, stamp.Version, o.source
	o.c.mu.Unlock()
}

func (o *owner) emit(e Event) {
	if o.opts.OnEvent != nil {
		o.opts.OnEvent(e)
	}
}

func (o *owner) warn(err *pam.Error) { o.emit(Warning{Err: shortened(err)}) }

func sameState(a, b pam.SyncState) bool {
	return a.Phase == b.Phase && slices.Equal(a.Missing, b.Missing) && a.Resumed == b.Resumed &&
		a.LastSynced.Equal(b.LastSynced) && a.Attempt == b.Attempt && a.NextAttempt.Equal(b.NextAttempt) &&
		a.Pending == b.Pending && a.Storage.Degraded == b.Storage.Degraded && a.Err == b.Err
}

// randomID returns 128 unpredictable bits, so that nobody can answer a request
// that they have not seen.
func randomID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Read never fails.
	return hex.EncodeToString(b[:])
}

func randomUint64() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])                       // Read never fails.
	return binary.LittleEndian.Uint64(b[:]) >> 2 // room to count up
}

func quote(s string) string { return strconv.Quote(s) }
