//go:build !js

package privatepep_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"testing"
	"time"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/disco"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/internal/pubsub"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/server/prosody"
	"xmpp-pam/sdk/transport/ws"
)

const account = "alice@localhost"

// A device is a Machine with a session at a real server. It hears no notifications.
type device struct {
	t    *testing.T
	c    *client.Client
	m    *privatepep.Machine
	view map[string]string // what the machine has reported
	lost map[string]privatepep.Reason
	rev  uint64
}

func connect(t *testing.T, url string) *device {
	c, err := client.New(&client.Options{Account: account, URL: url, Dialer: &ws.Dialer{},
		Credentials: func(context.Context, client.CredentialRequest) (client.Credentials, error) {
			return client.Credentials{Password: "secret"}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := c.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, c: c, view: map[string]string{}, lost: map[string]privatepep.Reason{}}
	d.m = privatepep.NewMachine(privatepep.Config{Base: "urn:example:private", Rank: func(_ string, payload *element.Element) int64 {
		n, _ := strconv.ParseInt(payload.Attr("n"), 10, 64)
		return n
	}})
	d.session()
	return d
}

// session starts a session of the machine with what the server announces.
func (d *device) session() {
	d.t.Helper()
	info := disco.Parse(d.iq("get", disco.Query()).(privatepep.Result).IQ)
	in := privatepep.SessionStarted{Account: account, PublishOptions: info.Has(ns.Pubsub + "#publish-options")}
	for _, id := range info.Identities {
		in.PEP = in.PEP || id.Category == "pubsub" && id.Type == "pep"
	}
	d.input(in)
}

func (d *device) put(key string, n int) {
	d.t.Helper()
	d.input(privatepep.Put{Key: key, Payload: element.New("urn:example:private", "v").Set("n", strconv.Itoa(n)).Set("a", "b"), Merged: d.rev})
}

// iq sends a request and returns its answer.
func (d *device) iq(kind string, payload *element.Element) privatepep.Input {
	d.t.Helper()
	text, err := d.c.IQ(d.t.Context(), account, kind, payload.String())
	var failure *pam.Error
	if errors.As(err, &failure) && failure.Condition != "" {
		return privatepep.Failed{Err: &pubsub.Error{Type: failure.Type, Condition: failure.Condition, PubsubCondition: failure.PubsubCondition}}
	}
	if err != nil {
		d.t.Fatal(err)
	}
	iq, err := element.Parse("<iq xmlns='jabber:client' type='result'>"+text+"</iq>", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return privatepep.Result{IQ: iq}
}

// input passes an input to the machine and carries out what follows.
func (d *device) input(in privatepep.Input) {
	d.t.Helper()
	var requests []privatepep.Request
	for {
		for _, out := range d.m.Step(time.Now(), in) {
			switch out := out.(type) {
			case privatepep.Request:
				requests = append(requests, out)
			case privatepep.Changed:
				d.rev = out.Revision
				for _, it := range out.Items {
					d.know(it.Key, it.Payload)
				}
			case privatepep.Stored:
				d.know(out.Key, out.Payload)
			case privatepep.Dropped:
				d.lost[out.Key] = out.Reason
			case privatepep.Warning:
				if out.Reason != privatepep.LeftOut {
					d.t.Errorf("%v", out)
				}
			case privatepep.Unsupported, privatepep.SetTimer:
				d.t.Errorf("%T%v", out, out)
			}
		}
		if len(requests) == 0 {
			return
		}
		r := requests[0]
		requests = requests[1:]
		kind := "get"
		if r.Set {
			kind = "set"
		}
		switch answer := d.iq(kind, r.Payload).(type) {
		case privatepep.Result:
			answer.ID = r.ID
			in = answer
		case privatepep.Failed:
			d.t.Logf("%s: %v", r.Payload.First().Name.Local, answer.Err)
			answer.ID = r.ID
			in = answer
		}
	}
}

func (d *device) know(key string, payload *element.Element) {
	if payload == nil {
		delete(d.view, key)
	} else {
		d.view[key] = payload.Attr("n")
	}
}

// TestProsody checks at a real server that nodes are created, read, repaired and not
// filled beyond what it keeps.
func TestProsody(t *testing.T) {
	if os.Getenv("PAM_SERVER") != "prosody" {
		t.Skip("a test of the real server: PAM_SERVER=prosody")
	}
	s, err := prosody.Start(t.Context(), prosody.Config{Accounts: map[string]string{"alice": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := connect(t, s.URL())
	for i := range 5 {
		a.put(fmt.Sprint("key", i), i)
	}
	b := connect(t, s.URL())
	if !maps.Equal(a.view, b.view) || len(b.view) != 5 {
		t.Fatalf("A knows %v, B %v", a.view, b.view)
	}

	// Another client deletes a node, and a publication without options creates it again.
	node := privatepep.Node("urn:example:private", "key1")
	a.iq("set", pubsub.Delete(node, ""))
	a.iq("set", pubsub.Publish(node, "other", element.New("urn:example", "x"), nil))
	form := func() pam.Form {
		form, err := pubsub.ParseNodeConfig(a.iq("get", pubsub.NodeConfig(node)).(privatepep.Result).IQ)
		if err != nil {
			t.Fatal(err)
		}
		return form
	}
	if form().Value("pubsub#access_model") == "whitelist" {
		t.Fatal("the node is private by default, and the test checks nothing")
	}
	a.put("key1", 100) // is refused, and found missing
	if _, known := a.view["key1"]; known || a.lost["key1"] != privatepep.Superseded {
		t.Fatalf("A knows %v, dropped %v", a.view, a.lost)
	}
	a.put("key1", 101)
	if f := form(); f.Value("pubsub#access_model") != "whitelist" || f.Value("pubsub#max_items") != "max" || a.view["key1"] != "101" {
		t.Fatalf("%v, A knows %v", f, a.view)
	}

	// More keys of one node than it keeps.
	count := 0
	for i := 0; count < 300; i++ {
		if key := fmt.Sprint("many", i); privatepep.Node("urn:example:private", key) == node {
			a.put(key, 1000+(count*7919)%5000)
			count++
		}
	}
	b.session()
	if !maps.Equal(a.view, b.view) {
		t.Errorf("A knows %d items, B %d", len(a.view), len(b.view))
	}
	list, _, err := pubsub.ParseItems(a.iq("get", pubsub.ItemsRequest{Node: node}.Element()).(privatepep.Result).IQ, account, node)
	if err != nil || len(list) != 250 {
		t.Errorf("the node has %d items, %v", len(list), err)
	}
}
