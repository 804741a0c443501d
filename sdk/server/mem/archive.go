package mem

import (
	"slices"
	"time"

	"mellium.im/xmpp/jid"
)

// An archive keeps messages in the order in which they were added (XEP-0313). The
// oldest are removed.
type archive struct {
	size    int // maximum number of entries
	entries []archived
	removed int            // entries removed so far
	index   map[string]int // id → number of entries added before
}

type archived struct {
	id     string
	at     time.Time
	with   string // bare JID of the other side
	stanza *elem
}

func newArchive(size int) *archive { return &archive{size: size, index: map[string]int{}} }

func (a *archive) add(e archived) {
	a.index[e.id] = a.removed + len(a.entries)
	a.entries = append(a.entries, e)
	if len(a.entries) > a.size {
		a.keep(a.size - a.size/100) // seldom, because it takes time
	}
}

// keep removes all but the newest n entries.
func (a *archive) keep(n int) {
	extra := max(0, len(a.entries)-n)
	for _, e := range a.entries[:extra] {
		delete(a.index, e.id)
	}
	a.entries = slices.Clone(a.entries[extra:])
	a.removed += extra
}

// position returns the place of an entry in entries.
func (a *archive) position(id string) (int, bool) {
	i, ok := a.index[id]
	return i - a.removed, ok
}

// archives reports whether the account's server has an archive, and whether it
// archives events.
func (s *Server) archives(a *account) (messages, events bool) {
	messages = s.cfg.Archive && !a.like.NoArchive
	return messages, messages && !a.like.Unarchived && !a.like.Ejabberd
}

// archive adds an event to the account's archive and returns it with its id
// (XEP-0359). A change of a subscription's state is not archived.
func (s *Server) archive(a *account, st *elem) *elem {
	if a == nil || st.child(nsPubsubEvent, "event").child(nsPubsubEvent, "subscription") != nil {
		return st
	}
	if _, events := s.archives(a); events {
		return s.store(a, st, st.get("from"))
	}
	from, _ := parseJID(st.get("from"))
	return s.archiveMessage(a, st, from)
}

// archiveMessage does the same with any message that has a body and is no headline.
func (s *Server) archiveMessage(a *account, st *elem, with jid.JID) *elem {
	if messages, _ := s.archives(a); !messages || st.child(nsClient, "body") == nil {
		return st
	}
	switch st.get("type") {
	case "", "normal", "chat":
		return s.store(a, st, with.Bare().String())
	}
	return st
}

// store adds a stanza without the ids that claim to be the archive's.
func (s *Server) store(a *account, st *elem, with string) *elem {
	st = st.copy()
	st.kids = slices.DeleteFunc(st.kids, func(k any) bool {
		e, _ := k.(*elem)
		return e.is(nsStanzaID, "stanza-id") && e.get("by") == a.bare
	})
	id := s.newID("a")
	a.archive.add(archived{id: id, at: time.Now().UTC().Truncate(time.Second), with: with, stanza: st})
	return st.copy().with(el(nsStanzaID, "stanza-id", "by", a.bare, "id", id))
}
