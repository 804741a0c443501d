package inbox

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/sdk/store"
)

// entryText returns an Atom entry of about 1 KB.
func entryText(i int) string {
	return fmt.Sprintf(`<entry xmlns='http://www.w3.org/2005/Atom'><id>tag:example.org,2026:%d</id><title>The title of entry %d</title><summary>%s</summary><link rel='alternate' href='https://example.org/%d'/><author><name>An author</name></author><published>2026-11-29T10:%02d:00Z</published><updated>2026-11-29T10:%02d:00Z</updated></entry>`,
		i, i, strings.Repeat("Some words of a summary. ", 25), i, i%60, i%60)
}

func entries(tb testing.TB, n int) []*element.Element {
	list := make([]*element.Element, n)
	for i := range list {
		e, err := element.Parse(entryText(i), nil)
		if err != nil {
			tb.Fatal(err)
		}
		list[i] = e
	}
	return list
}

// batch returns n events of a catch-up, of the given number of nodes, from the event
// numbered from.
func batch(list []*element.Element, from, n, nodes int) (in Arrived) {
	for i := from; i < from+n; i++ {
		e := item(fmt.Sprintf("a node with some name/%d", i*7919%nodes), fmt.Sprintf("item-%d", i), list[i%len(list)])
		e.Service, e.Delivery = "pubsub.example.org", pam.DeliveryCatchUp
		e.At, e.Source = start.Add(time.Duration(i)*time.Second-24*time.Hour), pam.TimeArchive
		in.Events = append(in.Events, e)
	}
	return in
}

// large returns a store with 20,000 events of 10,000 nodes.
func large(tb testing.TB) (*Machine, *store.Memory) {
	m, s := New(Options{}), store.NewMemory()
	m.Step(start, Stored{})
	list := entries(tb, 100)
	for i := 0; i < 20_000; i += 1000 {
		commitTo(tb, m, s, batch(list, i, 1000, 10_000))
	}
	return m, s
}

// commitTo passes an input to a machine and stores what it commits. It returns the number
// of written records and bytes.
func commitTo(tb testing.TB, m *Machine, s *store.Memory, in Input) (records, bytes int) {
	for outs := m.Step(start, in); len(outs) > 0; {
		var next []Output
		for _, out := range outs {
			if c, ok := out.(Commit); ok {
				if err := s.Commit(tb.Context(), c.Expect, c.Ops); err != nil {
					tb.Fatal(err)
				}
				for _, op := range c.Ops {
					records++
					bytes += len(op.Value)
				}
				next = m.Step(start, Committed{c.Seq})
			}
		}
		outs = next
	}
	return records, bytes
}

// BenchmarkCatchUp adds 5,000 events in batches of 100.
func BenchmarkCatchUp(b *testing.B) {
	list := entries(b, 5000)
	for _, nodes := range []int{20, 5000} {
		b.Run(fmt.Sprintf("nodes=%d", nodes), func(b *testing.B) {
			records, bytes := 0, 0
			for b.Loop() {
				m, s := New(Options{}), store.NewMemory()
				m.Step(start, Stored{})
				for i := 0; i < 5000; i += 100 {
					r, n := commitTo(b, m, s, batch(list, i, 100, nodes))
					records, bytes = records+r, bytes+n
				}
			}
			n := float64(b.N) * 50
			b.ReportMetric(float64(b.Elapsed().Microseconds())/n, "µs/batch")
			b.ReportMetric(float64(records)/n, "records/batch")
			b.ReportMetric(float64(bytes)/n/1024, "KiB/batch")
		})
	}
}

// BenchmarkLive adds one event to 20,000 of 10,000 nodes, and marks it as seen.
func BenchmarkLive(b *testing.B) {
	m, s := large(b)
	list := entries(b, 100)
	records, bytes, i := 0, 0, 20_000
	for b.Loop() {
		in := batch(list, i, 1, 10_000)
		in.Events[0].Delivery = pam.DeliveryLive
		r, n := commitTo(b, m, s, in)
		r2, n2 := commitTo(b, m, s, MarkSeen{IDs: []string{m.events[len(m.events)-1].info().ID}})
		records, bytes, i = records+r+r2, bytes+n+n2, i+1
	}
	b.ReportMetric(float64(records)/float64(b.N)/2, "records/commit")
	b.ReportMetric(float64(bytes)/float64(b.N)/2048, "KiB/commit")
}

// BenchmarkLoad reads 20,000 stored events of 10,000 nodes and lists the first page.
func BenchmarkLoad(b *testing.B) {
	m, s := large(b)
	records, err := s.Scan(b.Context(), Range)
	if err != nil {
		b.Fatal(err)
	}
	bytes := 0
	for _, r := range records {
		bytes += len(r.Value)
	}
	for b.Loop() {
		m = New(Options{})
		m.Step(start, Stored{records})
		if page, _ := m.List(Query{}); page.Len() != 50 || len(page.Events(nil)) != 50 {
			b.Fatal("not the first page")
		}
	}
	b.ReportMetric(float64(len(records)), "records")
	b.ReportMetric(float64(bytes)/1024, "KiB")
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	b.ReportMetric(float64(mem.HeapAlloc>>20), "MiB-heap")
	runtime.KeepAlive(m)
}

// TestWritten checks that one event changes few small records although much is stored.
func TestWritten(t *testing.T) {
	m, s := large(t)
	list := entries(t, 100)
	for i := range 20 {
		if records, bytes := commitTo(t, m, s, batch(list, 20_000+i, 1, 10_000)); records > 10 || bytes > 96<<10 {
			t.Errorf("an event changes %d records with %d bytes", records, bytes)
		}
		if records, bytes := commitTo(t, m, s, MarkSeen{IDs: []string{m.events[len(m.events)-3].info().ID}}); records > 6 || bytes > 64<<10 {
			t.Errorf("a mark changes %d records with %d bytes", records, bytes)
		}
	}
	records, _ := s.Scan(t.Context(), store.Range{From: MetaKey, To: keyBodies})
	page := 0
	for _, r := range records {
		if strings.HasPrefix(r.Key, keyPage) {
			page++
		}
	}
	if page > 10 || len(records) > 350 {
		t.Errorf("the page is in %d records, the page and all counts in %d", page, len(records))
	}
}
