package stream_test

import (
	_ "embed"
	"encoding/xml"
	"io"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/stream"
)

//go:embed testdata/corpus/attacks.txt
var attacks string

// A corpusRow is a message and what has to become of it in a session; the
// verdicts are explained in testdata/corpus/attacks.txt. They come from the RFC
// or the rule that made the message, never from the code.
type corpusRow struct{ verdict, name, message string }

// TestCorpus: each message gets its verdict in a session, and none gets past the
// negotiation. It runs in WebAssembly too.
func TestCorpus(t *testing.T) {
	rows := append(handWritten(t), ruled()...)
	if len(rows) < 500 {
		t.Fatalf("only %d rows", len(rows))
	}
	names, verdicts, most := map[string]bool{}, map[string]int{}, uint64(0)
	for _, row := range rows {
		if names[row.name] {
			t.Fatalf("%q is there twice", row.name)
		}
		names[row.name] = true
		verdicts[strings.Fields(row.verdict)[0]]++
		t.Run(row.name, func(t *testing.T) {
			most = max(most, inSession(t, row))
			beforeLogin(t, row)
		})
	}
	t.Logf("%d rows (%v); the most that one allocated: %.1f MiB", len(rows), verdicts, float64(most)/(1<<20))
}

// inSession returns how many bytes the Step allocated. None are freed
// meanwhile, so the heap grew by no more than that.
func inSession(t *testing.T, row corpusRow) uint64 {
	t.Helper()
	s := countingSession(t)
	var outs []stream.Output
	grown := heapGrowth(func() { outs = s.Step(start, stream.Message{Text: row.message}) })
	check(t, row, s, outs)
	if grown > 64<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	return grown
}

func check(t *testing.T, row corpusRow, s *stream.Stream, outs []stream.Output) {
	t.Helper()
	verdict, condition, _ := strings.Cut(row.verdict, " ")
	var got []string
	var delivered *element.Element
	for _, out := range outs {
		switch out := out.(type) {
		case stream.Deliver:
			got, delivered = append(got, "deliver"), out.Stanza
		case stream.Dropped:
			got = append(got, "drop")
		case stream.Write:
			got = append(got, "write "+out.Text)
		case stream.Hangup:
			got = append(got, "hangup "+string(out.Err.Code))
		}
	}
	const marker = "<message xmlns='jabber:client' id='marker'/>"
	want := map[string][]string{
		"deliver": {"deliver"}, "drop": {"drop"}, "ignore": {"drop"},
		"refuse": {"drop", "write <iq xmlns='jabber:client' type='error' id='1' to='eve@evil.example/x'><error type='modify'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"},
		"close": {"write <error xmlns='http://etherx.jabber.org/streams'><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>",
			"write <close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "hangup protocol"},
	}[verdict]
	if want == nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("%.200q\n got %.300q\nwant %.300q", row.message, got, want)
	}
	if verdict == "close" {
		if s.Step(start, stream.Message{Text: marker}) != nil || s.Resumption() != nil {
			t.Fatal("the stream went on after its end")
		}
		return
	}
	sameTree(t, row, delivered)
	counted := uint32(1)
	if verdict == "ignore" {
		counted = 0
	}
	if s.Step(start, stream.Handled{Seq: 1}); s.Resumption().H != counted {
		t.Fatalf("%.200q counted as %d stanzas, want %d", row.message, s.Resumption().H, counted)
	}
	if next := s.Step(start, stream.Message{Text: marker}); len(next) != 1 || next[0].(stream.Deliver).Stanza.Attr("id") != "marker" {
		t.Fatalf("after it the next stanza became %v", next)
	}
}

// sameTree compares what was delivered with what encoding/xml reads, if it
// accepts the message. It does not normalise white space in values.
func sameTree(t *testing.T, row corpusRow, delivered *element.Element) {
	t.Helper()
	if delivered == nil || strings.ContainsAny(row.message, "\t\r\n") {
		return
	}
	theirs, err := theirTree(row.message)
	if err != nil {
		t.Fatalf("encoding/xml refuses %.200q, which was delivered: %v", row.message, err)
	}
	if theirs.String() != delivered.String() {
		t.Fatalf("delivered %.300s\nencoding/xml reads %.300s", delivered, theirs)
	}
}

// beforeLogin: the first message of a server that is none of <open/>, features
// and the like is fatal, whatever it is.
func beforeLogin(t *testing.T, row corpusRow) {
	t.Helper()
	s, err := stream.New(config())
	if err != nil {
		t.Fatal(err)
	}
	s.Step(start, stream.Opened{})
	outs := s.Step(start, stream.Message{Text: row.message})
	last, ok := outs[len(outs)-1].(stream.Hangup)
	if !ok || last.Err == nil || last.Err.Code != stream.CodeProtocol {
		t.Fatalf("before the login: %v", outs)
	}
	for _, out := range outs {
		switch out.(type) {
		case stream.Write, stream.Hangup:
		default:
			t.Fatalf("before the login: %#v", out)
		}
	}
	verdict, condition, _ := strings.Cut(row.verdict, " ")
	if len(row.message) > 64<<10 { // the limit before the login; the rest is never looked at
		verdict, condition = "close", "policy-violation"
	}
	if verdict == "close" {
		if text := outs[0].(stream.Write).Text; !strings.Contains(text, "<"+condition+" ") {
			t.Fatalf("before the login the end was %s", text)
		}
	}
}

// countingSession returns a session in which stanzas are counted. The login is
// by PLAIN, which costs no time.
func countingSession(t testing.TB) *stream.Stream {
	t.Helper()
	s, err := stream.New(config())
	if err != nil {
		t.Fatal(err)
	}
	const features = "<features xmlns='http://etherx.jabber.org/streams'>%</features>"
	for _, in := range []stream.Input{
		stream.Opened{},
		stream.Message{Text: strings.TrimPrefix(strings.TrimSpace(serverOpen), "S: ")},
		stream.Message{Text: strings.Replace(features, "%", "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>", 1)},
		stream.Credentials{Password: "pencil"},
		stream.Message{Text: "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"},
		stream.Message{Text: strings.TrimPrefix(strings.TrimSpace(serverOpen), "S: ")},
		stream.Message{Text: strings.Replace(features, "%", "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/>", 1)},
		stream.Message{Text: "<iq xmlns='jabber:client' type='result' id='id1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>user@example.org/r1</jid></bind></iq>"},
		stream.Message{Text: "<enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true'/>"},
	} {
		s.Step(start, in)
	}
	if s.Resumption() == nil {
		t.Fatal("there is no session")
	}
	return s
}

func heapGrowth(run func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	if after.TotalAlloc-before.TotalAlloc > 8<<20 {
		runtime.GC()
	}
	return after.TotalAlloc - before.TotalAlloc
}

// theirTree reads a message with encoding/xml.
func theirTree(message string) (*element.Element, error) {
	d := xml.NewDecoder(strings.NewReader(message))
	top := &element.Element{}
	open := []*element.Element{top}
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return top.First(), nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := &element.Element{Name: tok.Name}
			for _, a := range tok.Attr {
				if len(open) == 1 && a.Name.Space != "" && slices.Contains([]string{"from", "to", "id", "type"}, a.Name.Local) {
					continue // On the root these attributes have no meaning (F1).
				}
				if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
					e.Attrs = append(e.Attrs, a)
				}
			}
			open[len(open)-1].Add(e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			open[len(open)-1].AddText(string(tok))
		}
	}
}

var (
	corpusNames  = strings.NewReplacer("{client}", ns.Client, "{stream}", ns.Stream, "{framing}", ns.Framing, "{xml}", "http://www.w3.org/XML/1998/namespace")
	corpusRepeat = regexp.MustCompile(`(?s)\{(\d+)\*(.*?)\}`)
	corpusByte   = regexp.MustCompile(`\{x([0-9A-F]{2})\}`)
)

// handWritten reads attacks.txt.
func handWritten(t *testing.T) (rows []corpusRow) {
	t.Helper()
	for _, block := range strings.Split("\n"+attacks, "\n== ")[1:] {
		head, message, _ := strings.Cut(block, "\n")
		verdict, name, ok := strings.Cut(head, " | ")
		if !ok {
			t.Fatalf("no verdict and name: %q", head)
		}
		message = corpusRepeat.ReplaceAllStringFunc(corpusNames.Replace(strings.TrimSuffix(message, "\n")), func(s string) string {
			m := corpusRepeat.FindStringSubmatch(s)
			n, _ := strconv.Atoi(m[1])
			return strings.Repeat(m[2], n)
		})
		message = corpusByte.ReplaceAllStringFunc(message, func(s string) string {
			b, _ := strconv.ParseUint(s[2:4], 16, 8)
			return string([]byte{byte(b)})
		})
		rows = append(rows, corpusRow{verdict, name, message})
	}
	return rows
}
