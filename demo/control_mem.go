package main

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"xmpp-pam/sdk/server/mem"
)

// This file has the control calls that only the in-memory server supports, except
// those that read its list.

func (d *demo) controlChange(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	return map[string]string{"node": q.Get("node")}, m.SetSubscription(q.Get("account"), q.Get("node"), q.Get("state"))
}

func (d *demo) controlPersonality(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	like, ok := mem.Personalities[q.Get("name")]
	if !ok {
		return nil, errors.New("there is no such personality")
	}
	m.SetPersonality(q.Get("account"), like)
	return map[string]string{"name": q.Get("name")}, nil
}

func (d *demo) controlEnd(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	end := map[string]func(string) bool{"expire": m.ExpireSession, "forget": m.ForgetSession}[q.Get("how")]
	if end == nil {
		return nil, errors.New("how is expire or forget")
	}
	ended := 0
	for _, session := range m.Hibernating(q.Get("account")) {
		if end(session) {
			ended++
		}
	}
	return map[string]int{"ended": ended}, nil
}

func (d *demo) controlClear(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	account := r.URL.Query().Get("account")
	d.release(account)
	for _, session := range m.Sessions(account) {
		m.ForgetSession(session)
	}
	list, _ := m.Subscriptions(account)
	for _, s := range list {
		if err := m.SetSubscription(account, s.Node, "none"); err != nil {
			return nil, err
		}
	}
	return map[string]int{"ended": len(list)}, nil
}

// A heldBack holds the messages that one call to hold delays.
type heldBack struct {
	account string
	release func()
}

// controlHold delays the messages to the sessions of an account, of a device, or of
// both.
func (d *demo) controlHold(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	contains, account := q.Get("contains"), q.Get("account")
	var dev *device
	if q.Get("device") != "" {
		if dev, err = d.controlDevice(r); err != nil {
			return nil, err
		}
	}
	release := m.Hold(func(session, xml string) bool {
		name, _, bound := strings.Cut(session, "@")
		return bound && strings.Contains(xml, contains) &&
			(account == "" || account == name) && (dev == nil || dev.line.has(session))
	})
	d.mu.Lock()
	d.holds = append(d.holds, heldBack{account, release})
	d.mu.Unlock()
	return map[string]bool{"holding": true}, nil
}

// release ends the holds of an account, or all of them, and returns their number.
func (d *demo) release(account string) int {
	d.mu.Lock()
	var holds []heldBack
	d.holds = slices.DeleteFunc(d.holds, func(h heldBack) bool {
		ends := account == "" || account == h.account
		if ends {
			holds = append(holds, h)
		}
		return ends
	})
	d.mu.Unlock()
	for _, h := range holds {
		h.release()
	}
	return len(holds)
}

// controlSend sends a message that no server would send.
func (d *demo) controlSend(r *http.Request) (any, error) {
	m, err := d.mem()
	if err != nil {
		return nil, err
	}
	var sessions []string
	if account := r.URL.Query().Get("account"); account != "" {
		sessions = m.Sessions(account)
	} else {
		dev, err := d.controlDevice(r)
		if err != nil {
			return nil, err
		}
		sessions = dev.line.sessions()
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	sent := 0
	for _, session := range sessions {
		bare, _, _ := strings.Cut(session, "/")
		if m.Send(session, strings.NewReplacer("{bare}", bare, "{full}", session).Replace(string(body))) == nil {
			sent++
		}
	}
	return map[string]int{"sent": sent}, nil
}
