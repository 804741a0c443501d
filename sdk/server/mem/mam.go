package mem

import (
	"slices"
	"time"
)

const (
	nsMAM       = "urn:xmpp:mam:2"
	nsMAMMore   = nsMAM + "#extended"
	nsStanzaID  = "urn:xmpp:sid:0"
	nsForward   = "urn:xmpp:forward:0"
	nsAllEvents = "urn:xmpp-pam:archives-all-events:0" // see sdk/server/prosody/README.md

	defaultPage = 20 // results of a query that does not say how many
)

var mamForm = layout{nsMAM, []field{
	{name: "with", typ: "jid-single"},
	{name: "start", typ: "text-single"},
	{name: "end", typ: "text-single"},
	{name: "before-id", typ: "text-single"},
	{name: "after-id", typ: "text-single"},
	{name: "ids", typ: "list-multi"},
}}

// archiveOf returns the archive that a request is about: that of a node (XEP-0442), or
// that of the sender's account. As at Prosody, the account's archive answers requests
// about the account's nodes if nodes have none.
func (s *Server) archiveOf(r request, svc *service, own bool) (*archive, *stanzaError) {
	if _, named := r.payload.lookup("node"); named && svc != nil && s.cfg.NodeArchive {
		n, err := svc.find(r.payload)
		if err == nil {
			err = s.mayRead(n, r.from)
		}
		if err != nil {
			return nil, err
		}
		return n.archive, nil
	}
	if !own || r.sender == nil {
		return nil, unavailable()
	}
	a := r.sender.account
	if messages, _ := s.archives(a); !messages {
		return nil, unavailable()
	}
	return a.archive, nil
}

// answerMAM handles a request about an archive (XEP-0313): a query, or one for its
// form or the ends of the archive.
func (s *Server) answerMAM(r request, svc *service, own bool) (*elem, *stanzaError) {
	a, err := s.archiveOf(r, svc, own)
	switch {
	case err != nil:
		return nil, err
	case r.payload.local == "query" && r.set:
		return a.query(r)
	case r.payload.local == "query":
		return el(nsMAM, "query").with(mamForm.elem("form", nil)), nil
	case r.payload.local == "metadata" && !r.set:
		out := el(nsMAM, "metadata")
		if n := len(a.entries); n > 0 {
			for i, e := range []archived{a.entries[0], a.entries[n-1]} {
				out.with(el(nsMAM, []string{"start", "end"}[i], "id", e.id, "timestamp", e.at.Format(stampSeconds)))
			}
		}
		return out, nil
	}
	return nil, unavailable()
}

// query sends the results of a query to the sender, and returns the end of its result.
func (a *archive) query(r request) (*elem, *stanzaError) {
	c := r.sender
	c.mamAsked = true
	filter := values{}
	if x := r.payload.child(nsData, "x"); x != nil {
		var fault *formError
		if filter, fault = mamForm.read(x, true); fault != nil && fault.text == unknownField {
			return nil, &stanzaError{typ: "cancel", cond: "feature-not-implemented"}
		} else if fault != nil {
			return nil, &stanzaError{typ: "modify", cond: "bad-request", text: fault.Error()}
		}
	}
	p, err := readPage(r.payload)
	if err != nil {
		return nil, err
	}
	if p.max < 0 {
		p.max = defaultPage
	}
	matching, err := a.matching(filter)
	if err != nil {
		return nil, err
	}
	chosen, complete, err := a.cut(matching, filter, p, c.srv.cfg.ArchivePage)
	if err != nil {
		return nil, err
	}
	fin, first, last := el(nsMAM, "fin"), "", ""
	if complete {
		fin.set("complete", "true")
	}
	if len(chosen) > 0 {
		first, last = a.entries[chosen[0]].id, a.entries[chosen[len(chosen)-1]].id
	}
	if r.payload.child(nsMAM, "flip-page") != nil {
		slices.Reverse(chosen)
	}
	for _, i := range chosen {
		e := a.entries[i]
		c.send(el(nsClient, "message", "from", r.stanza.get("to"), "to", c.name).with(
			el(nsMAM, "result", "queryid", r.payload.get("queryid"), "id", e.id).with(
				el(nsForward, "forwarded").with(delayElem("", e.at.Format(stampSeconds), ""), e.stanza))))
	}
	return fin.with(pageElem(first, last, -1, len(matching))), nil
}

// cut returns the page of the matching entries. It is complete if no further entries
// follow in its direction.
func (a *archive) cut(matching []int, filter values, p page, most int) (chosen []int, complete bool, err *stanzaError) {
	earliest, latest := 0, len(a.entries)
	for _, bound := range []struct {
		id    string
		after bool
	}{{p.after, true}, {filter.get("after-id"), true}, {p.before, false}, {filter.get("before-id"), false}} {
		i, ok := a.position(bound.id)
		switch {
		case bound.id == "":
		case !ok:
			return nil, false, &stanzaError{typ: "modify", cond: "item-not-found"}
		case bound.after:
			earliest = max(earliest, i+1)
		default:
			latest = min(latest, i)
		}
	}
	after, _ := slices.BinarySearch(matching, earliest)
	before, _ := slices.BinarySearch(matching, latest)
	before = max(after, before)
	from, to := p.cut(after, before, most)
	complete = to == before
	if p.backwards() {
		complete = from == after
	}
	return matching[from:to], complete, nil
}

// matching returns the places of the entries that a filter lets through, in order.
func (a *archive) matching(filter values) ([]int, *stanzaError) {
	var start, end time.Time
	for name, at := range map[string]*time.Time{"start": &start, "end": &end} {
		if text := filter.get(name); text != "" {
			t, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return nil, &stanzaError{typ: "modify", cond: "bad-request", text: name + ": not a time stamp"}
			}
			*at = t
		}
	}
	with := filter.get("with")
	if j, err := parseJID(with); err == nil {
		with = j.Bare().String()
	}
	ids := filter["ids"]
	for _, id := range ids {
		if _, ok := a.index[id]; !ok {
			return nil, &stanzaError{typ: "modify", cond: "item-not-found"}
		}
	}
	out := []int{}
	for i, e := range a.entries {
		if at := e.at.Truncate(time.Second); (with == "" || e.with == with) && !at.Before(start) && (end.IsZero() || !at.After(end)) &&
			(ids == nil || slices.Contains(ids, e.id)) {
			out = append(out, i)
		}
	}
	return out, nil
}
