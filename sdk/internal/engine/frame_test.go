package engine

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

func TestDescribe(t *testing.T) {
	const (
		sub     = `<iq xmlns='jabber:client' type='set' id='a'><pam xmlns='urn:xmpp:pam:0'><subscribe xmlns='http://jabber.org/protocol/pubsub' node='n'/></pam></iq>`
		result  = `<iq xmlns='jabber:client' type='result' id='a'/>`
		event   = `<message xmlns='jabber:client'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>`
		info    = `<iq xmlns='jabber:client' type='get' id='a'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`
		present = `<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps'/></presence>`
		feature = `<stream:features xmlns:stream='http://etherx.jabber.org/streams'><c xmlns='http://jabber.org/protocol/caps'/></stream:features>`
	)
	var log frameLog
	start := time.UnixMilli(0)
	for i, c := range []struct {
		out         bool
		xml         string
		kind, layer string
		id          string
		replyTo     int64
	}{
		{true, `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x'/>`, "stream", "", "", 0},
		{false, feature, "stream", "", "", 0},
		{true, `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>…</auth>`, "sasl", "", "", 0},
		{true, sub, "iq", "pam", "a", 0},
		{false, info, "iq", "disco", "a", 0}, // the same id, in the other direction
		{true, result, "iq", "disco", "a", 5},
		{false, result, "iq", "pam", "a", 4},
		{false, result, "iq", "", "a", 0}, // answered already
		{false, event, "message", "pubsub", "", 0},
		{true, present, "presence", "caps", "", 0},
		{true, `<r xmlns='urn:xmpp:sm:3'/>`, "sm", "", "", 0},
		{false, `<iq`, "stream", "", "", 0},
		{false, ``, "stream", "", "", 0},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			at := start.Add(time.Duration(i) * time.Second)
			got := described(&log, at, c.out, c.xml)
			want := pam.Frame{Seq: int64(i + 1), At: at, Out: c.out, Kind: c.kind, Layer: c.layer, ID: c.id, ReplyTo: c.replyTo}
			if c.replyTo != 0 {
				want.RTT = time.Duration(int64(i)+1-c.replyTo) * time.Second
			}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestRequestsWithoutReplyAreForgotten(t *testing.T) {
	var log frameLog
	for i := range 3 * maxOpen {
		described(&log, time.Time{}, true, `<iq xmlns='jabber:client' type='get' id='`+strconv.Itoa(i)+`'/>`)
	}
	if len(log.open) > maxOpen {
		t.Errorf("%d requests are remembered", len(log.open))
	}
}

func described(log *frameLog, at time.Time, out bool, xml string) pam.Frame {
	e, _ := element.Parse(xml, nil)
	f := pam.Frame{At: at, Out: out}
	log.describe(&f, e)
	return f
}

// TestLongIDsAreNotRemembered checks that long ids are not remembered, because a
// server may send any number of requests.
func TestLongIDsAreNotRemembered(t *testing.T) {
	var log frameLog
	f := described(&log, time.Time{}, false, "<iq xmlns='jabber:client' type='get' id='"+strings.Repeat("x", maxID+1)+"'/>")
	if f.Kind != "iq" || f.ID != "" || len(log.open) != 0 {
		t.Errorf("got %+v, %d remembered", f, len(log.open))
	}
}
