package mem

import (
	"context"
	"io"
	"time"

	"github.com/coder/websocket"
)

const (
	nsFraming  = "urn:ietf:params:xml:ns:xmpp-framing"
	nsStream   = "http://etherx.jabber.org/streams"
	nsStreams  = "urn:ietf:params:xml:ns:xmpp-streams"
	nsClient   = "jabber:client"
	writeLimit = 10 * time.Second
)

type phase int

const (
	wantOpen  phase = iota // nothing yet
	wantAuth               // the first <open/> was answered
	wantOpen2              // logged in, the stream restarts
	wantBind               // the second <open/> was answered
	bound
)

// session is a connection and, once bound, a session of an account, which may outlive
// the connection (see hibernate). Server.mu guards the fields below the comment that
// names it.
type session struct {
	srv    *Server
	ws     *websocket.Conn
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // a message was queued
	hung   chan struct{} // closed when the client has sent <close/>
	done   chan struct{} // closed when the connection has ended

	// Guarded by Server.mu:
	name   string // remote address, then the full JID
	phase  phase
	ended  bool // <close/> is queued or sent, and nothing may follow it
	hungUp bool // hung is closed

	queue  []Frame
	queued int // bytes in queue
	held   []message
	heldBy *hold

	sasl     *exchange
	attempts int
	account  *account
	binding
}

// binding is the state of a session that is independent of its connection. Another
// connection may take it over.
type binding struct {
	resource  string
	available bool
	priority  int
	listed    bool            // the client has requested the PAM list
	pamCaps   bool            // the client advertises urn:xmpp:pam:0
	interest  map[string]bool // personal nodes whose events the client wants
	show      string          // of the last presence; online if it had none
	mamAsked  bool            // the client has queried the account's archive
	asked     map[string]capsQuery
	sm        *smState // nil until stream management is enabled
}

func newSession(s *Server, ws *websocket.Conn, remote string) *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{
		srv: s, ws: ws, ctx: ctx, cancel: cancel, name: remote,
		wake: make(chan struct{}, 1), hung: make(chan struct{}), done: make(chan struct{}), binding: binding{asked: map[string]capsQuery{}},
	}
}

// run serves the connection until it ends. The calling goroutine reads, another one
// writes.
func (c *session) run() {
	defer close(c.done)
	c.ws.SetReadLimit(-1) // this package enforces the limit, to report it to the client
	s := c.srv
	s.mu.Lock()
	s.conns[c] = true
	if s.stopped() {
		c.end("system-shutdown")
	}
	s.mu.Unlock()

	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.read()

	s.mu.Lock()
	c.lose()
	delete(s.conns, c)
	s.mu.Unlock()
	c.cancel()
	c.ws.CloseNow()
	<-written
}

func (c *session) read() {
	for {
		typ, r, err := c.ws.Reader(c.ctx)
		if err != nil {
			return
		}
		msg, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
		if err != nil {
			return
		}
		c.srv.record(c, msg)
		e, fe := decode(typ, msg)
		c.handle(e, fe)
		if len(msg) > maxMessage {
			io.Copy(io.Discard, r) // the rest of the message; returns when the connection ends
		}
	}
}

func (c *session) handle(e *elem, err *streamError) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock() // even if the code panics, or every test would hang
	c.receive(e, err)
}

// write sends the queued messages in order. After <close/> it waits briefly for the
// client's answer and closes the WebSocket (RFC 7395 §3.6).
func (c *session) write() {
	defer c.cancel()
	for {
		c.srv.mu.Lock()
		batch, last := c.queue, c.ended
		c.queue, c.queued = nil, 0
		c.srv.mu.Unlock()
		for _, f := range batch {
			f.At = time.Now()
			c.srv.logFrame(f)
			ctx, cancel := context.WithTimeout(c.ctx, writeLimit)
			err := c.ws.Write(ctx, websocket.MessageText, []byte(f.XML))
			cancel()
			if err != nil {
				return
			}
		}
		if last {
			select {
			case <-c.hung:
			case <-time.After(deadline / 4):
			case <-c.ctx.Done():
				return
			}
			c.ws.Close(websocket.StatusNormalClosure, "")
			return
		}
		select {
		case <-c.wake:
		case <-c.ctx.Done():
			return
		}
	}
}

func decode(typ websocket.MessageType, msg []byte) (*elem, *streamError) {
	switch {
	case len(msg) > maxMessage:
		return nil, fault("policy-violation", "the message is larger than 256 KiB")
	case typ != websocket.MessageText:
		return nil, fault("bad-format", "the message is not of type text (RFC 7395 §3.2)")
	}
	return parse(msg)
}

// receive handles one message from the client: an element, or the error of an invalid
// message.
func (c *session) receive(e *elem, err *streamError) {
	if e.is(nsFraming, "close") && !c.hungUp {
		c.hungUp = true
		close(c.hung)
	}
	switch {
	case c.ended: // only <close/> is expected
	case err != nil:
		c.end(err.cond)
	case c.hungUp, e.is(nsStream, "error"):
		c.end("")
	default:
		c.element(e)
	}
}

func (c *session) element(e *elem) {
	stanza := e.local == "iq" || e.local == "message" || e.local == "presence"
	switch {
	case (e.local == "open" || e.local == "close") && e.space != nsFraming, e.local == "stream", stanza && e.space != nsClient:
		c.end("invalid-namespace")
	case e.is(nsFraming, "open"):
		c.open(e)
	case c.phase == wantOpen || c.phase == wantOpen2:
		if stanza && c.phase == wantOpen {
			c.end("not-authorized")
		} else {
			c.end("bad-format")
		}
	case e.space == nsSM && !c.srv.cfg.DisableSM:
		c.manage(e)
	case c.phase == wantAuth && e.space == nsSASL:
		c.authenticate(e)
	case !stanza:
		c.end("unsupported-stanza-type")
	case c.phase == wantAuth:
		c.end("not-authorized")
	case c.phase == wantBind:
		c.bind(e)
	default:
		if c.sm != nil {
			c.sm.received++
		}
		c.stanza(e)
	}
}

// open answers a stream header (RFC 6120 §4.7) and sends the features of the next
// step.
func (c *session) open(e *elem) {
	if c.phase != wantOpen && c.phase != wantOpen2 {
		c.end("bad-format")
		return
	}
	to, _ := parseJID(e.get("to"))
	from, fromErr := parseJID(e.get("from"))
	switch {
	case e.get("to") == "":
		c.end("improper-addressing")
		return
	case to.String() != c.srv.cfg.Domain:
		c.end("host-unknown")
		return
	case e.get("version") != "1.0":
		c.end("unsupported-version")
		return
	case e.get("from") != "" && (fromErr != nil || c.account != nil && from.Bare().String() != c.account.bare):
		c.end("invalid-from")
		return
	}
	c.sendOpen()
	if c.phase == wantOpen {
		c.phase = wantAuth
		m := el(nsSASL, "mechanisms")
		for _, name := range c.srv.cfg.Mechanisms {
			m.with(el(nsSASL, "mechanism").with(name))
		}
		c.features(m)
		return
	}
	c.phase = wantBind
	bind := el(nsBind, "bind").with(el(nsBind, "required"))
	if c.srv.cfg.DisableSM {
		c.features(bind)
	} else {
		c.features(bind, el(nsSM, "sm"))
	}
}

func (c *session) sendOpen() {
	c.enqueue(message{xml: el(nsFraming, "open", "from", c.srv.cfg.Domain, "id", c.srv.newID("s"), "version", "1.0").lang("en").String()})
}

func (c *session) features(all ...*elem) {
	text := ""
	for _, f := range all {
		text += f.String()
	}
	c.push(message{xml: "<stream:features xmlns:stream='" + nsStream + "'>" + text + "</stream:features>"})
}
