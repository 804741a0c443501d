package main

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"xmpp-pam/sdk/server/mem"
)

// controlHandler is the API with which browser tests control the demo. Requests
// have their arguments in the query. Responses are JSON; a failed request gets
// {"error": text} with a 4xx or 5xx status. `device` is an id or a name.
//
//	GET  devices                      the devices, with their open sockets
//	POST cut?device=                  drop its sockets without closing the streams
//	POST refuse?device=&on=           answer its new sockets with 503, or stop doing so
//	POST slow?device=&ms=             delay everything that its sockets read and write, by 0 to 5000 ms
//	POST account?name=&password=      add an account
//	POST node?name=&access=           create a node: open (default), whitelist, presence
//	POST publish?node=&id=            publish the body as an item
//	GET  log                          the server's log
//
// and for the in-memory server only (501 with another):
//
//	GET  list?account=                the authoritative list and version
//	POST change?account=&node=&state= put a subscription into a state, as another client without PAM would
//	POST personality?account=&name=   implement XEP-0376 in the way of that server
//	POST end?account=&how=            drop its sessions that have no connection: expire or forget
//	POST clear?account=               end its sessions and subscriptions
//	GET  at?account=&ver=             the list as it was at a version
//	POST forget?account=              forget all old versions
//	POST hold?contains=&account=&device=   delay a session's messages from the first that contains the text
//	POST release?account=             send all delayed messages of that account or of all accounts
//	POST send?device=&account=        send the body unchecked as one message to the sessions of a device or of an account;
//	                                  {bare} and {full} in it are the session's JIDs
func (d *demo) controlHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := f(r)
			var failed *controlError
			switch {
			case err == nil:
				writeJSON(w, http.StatusOK, v)
			case errors.As(err, &failed):
				writeError(w, failed.status, failed.text)
			default:
				writeError(w, http.StatusBadRequest, err.Error())
			}
		})
	}
	mux.HandleFunc("GET /control/devices", d.serveDevices)
	handle("POST /control/cut", d.controlCut)
	handle("POST /control/refuse", d.controlRefuse)
	handle("POST /control/slow", d.controlSlow)
	handle("POST /control/account", d.controlAccount)
	handle("POST /control/node", d.controlNode)
	handle("POST /control/publish", d.controlPublish)
	handle("GET /control/log", func(*http.Request) (any, error) { return d.server.Log(), nil })
	handle("GET /control/list", d.controlList)
	handle("GET /control/at", d.controlAt)
	handle("POST /control/forget", d.controlForget)
	handle("POST /control/change", d.controlChange)
	handle("POST /control/personality", d.controlPersonality)
	handle("POST /control/end", d.controlEnd)
	handle("POST /control/clear", d.controlClear)
	handle("POST /control/hold", d.controlHold)
	handle("POST /control/release", func(r *http.Request) (any, error) {
		return map[string]int{"released": d.release(r.URL.Query().Get("account"))}, nil
	})
	handle("POST /control/send", d.controlSend)
	return mux
}

type controlError struct {
	status int
	text   string
}

func (e *controlError) Error() string { return e.text }

func (d *demo) controlDevice(r *http.Request) (*device, error) {
	dev := d.device(r.URL.Query().Get("device"))
	if dev == nil {
		return nil, &controlError{http.StatusNotFound, "there is no such device"}
	}
	return dev, nil
}

func (d *demo) controlCut(r *http.Request) (any, error) {
	dev, err := d.controlDevice(r)
	if err != nil {
		return nil, err
	}
	return map[string]int{"cut": dev.cut()}, nil
}

func (d *demo) controlRefuse(r *http.Request) (any, error) {
	dev, err := d.controlDevice(r)
	if err != nil {
		return nil, err
	}
	switch r.URL.Query().Get("on") {
	case "", "1", "true":
		dev.line.refuse.Store(true)
	case "0", "false":
		dev.line.refuse.Store(false)
	default:
		return nil, errors.New("on is true or false")
	}
	return dev.status(), nil
}

func (d *demo) controlSlow(r *http.Request) (any, error) {
	dev, err := d.controlDevice(r)
	if err != nil {
		return nil, err
	}
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 0 || ms > 5000 {
		return nil, errors.New("ms is a number from 0 to 5000")
	}
	dev.line.slow.Store(int64(ms) * int64(time.Millisecond))
	return map[string]int{"ms": ms}, nil
}

func (d *demo) controlAccount(r *http.Request) (any, error) {
	q := r.URL.Query()
	a := account{q.Get("name"), q.Get("password")}
	if a.Name == "" || a.Password == "" {
		return nil, errors.New("name and password are needed")
	}
	return a, d.server.AddAccount(a.Name, a.Password)
}

func (d *demo) controlNode(r *http.Request) (any, error) {
	q := r.URL.Query()
	n := nodeInfo{Name: q.Get("name"), Access: q.Get("access")}
	if n.Access == "" {
		n.Access = "open"
	}
	return n, d.server.CreateNode(n.Name, n.Access)
}

func (d *demo) controlPublish(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	err = d.server.Publish(q.Get("node"), q.Get("id"), string(body))
	return map[string]string{"node": q.Get("node"), "id": q.Get("id")}, err
}

// controlRow is a subscription in the form that tests read.
type controlRow struct {
	Service string `json:"service"`
	Node    string `json:"node"`
	JID     string `json:"jid"`
	SubID   string `json:"subid"`
	State   string `json:"state"`
}

func controlRows(list []mem.Subscription) []controlRow {
	rows := make([]controlRow, 0, len(list))
	for _, s := range list {
		rows = append(rows, controlRow{s.Service, s.Node, s.JID, s.SubID, s.State})
	}
	return rows
}

func (d *demo) mem() (*memServer, error) {
	if m, ok := d.server.(*memServer); ok {
		return m, nil
	}
	return nil, &controlError{http.StatusNotImplemented, "only -server mem can do this"}
}

func (d *demo) controlList(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	list, ver := m.Subscriptions(r.URL.Query().Get("account"))
	return map[string]any{"ver": ver, "list": controlRows(list)}, nil
}

func (d *demo) controlAt(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	list, ok := m.SubscriptionsAt(q.Get("account"), q.Get("ver"))
	if !ok {
		return nil, &controlError{http.StatusNotFound, "the account never had this version"}
	}
	return map[string]any{"ver": q.Get("ver"), "list": controlRows(list)}, nil
}

func (d *demo) controlForget(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	m.ForgetHistory(r.URL.Query().Get("account"))
	return map[string]bool{"forgotten": true}, nil
}

// controlFrame is a message in the log of the in-memory server.
type controlFrame struct {
	Session string    `json:"session"`
	Out     bool      `json:"out"` // from the server to the client
	XML     string    `json:"xml"`
	At      time.Time `json:"at"`
}

func (s *memServer) Log() any {
	frames := s.Server.Log()
	list := make([]controlFrame, 0, len(frames))
	for _, f := range frames {
		list = append(list, controlFrame{f.Session, f.Out, f.XML, f.At})
	}
	return list
}
