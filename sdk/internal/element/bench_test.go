package element

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

const pubsubEvent = `<message xmlns='jabber:client' from='pubsub.shakespeare.lit' to='francisco@denmark.lit/barracks' id='foo' type='headline'>` +
	`<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='princely_musings'><item id='ae890ac52d0df67ed7cfdf51b644e901'>` +
	`<entry xmlns='http://www.w3.org/2005/Atom'><title>Soliloquy &amp; more</title><summary>To be, or not to be: that is the question</summary>` +
	`<published>2003-12-13T18:30:02Z</published></entry></item></items></event></message>`

func subscriptionList(n int) string {
	var b strings.Builder
	b.WriteString("<iq xmlns='jabber:client' type='result' id='1'><subscriptions xmlns='urn:xmpp:pam:0' ver='v1'>")
	for i := range n {
		fmt.Fprintf(&b, "<subscription service='pubsub%d.example.org' node='urn:example:node:%d' jid='me@example.org' subscription='subscribed' subid='%x'/>", i%50, i, i*7919)
	}
	b.WriteString("</subscriptions></iq>")
	return b.String()
}

// BenchmarkParse reports how many times as fast as encoding/xml Parse is.
func BenchmarkParse(b *testing.B) {
	for _, m := range []struct{ name, message string }{
		{"event", pubsubEvent},
		{"list10000", subscriptionList(10_000)},
	} {
		b.Run(m.name, func(b *testing.B) {
			b.SetBytes(int64(len(m.message)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(m.message, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(ratio(b, m.message), "x_encoding/xml")
		})
	}
}

// ratio compares the best of 20 turns of each, so that a busy machine matters
// little. encoding/xml makes tokens only, no tree.
func ratio(b *testing.B, message string) float64 {
	var best [2]time.Duration
	for turn := range 40 {
		runs, start := 0, time.Now()
		for ; runs == 0 || time.Since(start) < 5*time.Millisecond; runs++ {
			if turn%2 == 0 {
				Parse(message, nil)
				continue
			}
			d := xml.NewDecoder(strings.NewReader(message))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
		took := time.Since(start) / time.Duration(runs)
		if which := &best[turn%2]; *which == 0 || took < *which {
			*which = took
		}
	}
	return float64(best[1]) / float64(best[0])
}

func BenchmarkAppend(b *testing.B) {
	e, err := Parse(pubsubEvent, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = Append(dst[:0], e)
	}
}
