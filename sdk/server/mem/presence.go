package mem

import (
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"mellium.im/xmpp/jid"
)

const nsCaps = "http://jabber.org/protocol/caps"

// capsQuery is a pending query to a session for the features of a caps hash.
type capsQuery struct{ hash, ver string }

// presence handles presence without to, which makes a session available or
// unavailable. Presence to another account's full JID is delivered; the rest (probes,
// subscriptions, presence to services) is ignored: there are no rosters.
func (c *session) presence(st *elem, to jid.JID) {
	if st.get("to") != "" {
		if other := c.srv.session(to); other != nil {
			other.send(st)
		}
		return
	}
	switch st.get("type") {
	case "unavailable":
		c.available = false
	case "":
		priority := 0
		if p := st.child(nsClient, "priority"); p != nil {
			n, err := strconv.ParseInt(strings.TrimSpace(p.text()), 10, 8)
			if err != nil {
				c.sendError(st, badRequest())
				return
			}
			priority = int(n)
		}
		if c.account.outrank > 0 && !c.available {
			c.send(c.account.outranking(c.name))
		}
		c.available, c.priority = true, priority
		c.readCaps(st.child(nsCaps, "c"))
	}
}

// readCaps records the capabilities of the session's client (XEP-0115). It queries an
// unknown hash once per session. Presence without caps changes nothing.
func (c *session) readCaps(caps *elem) {
	if caps == nil || caps.get("ver") == "" {
		return
	}
	q := capsQuery{caps.get("hash"), caps.get("ver")}
	if has, known := c.srv.caps[q.key()]; known {
		c.pamCaps = has
		return
	}
	for _, asked := range c.asked {
		if asked == q {
			return
		}
	}
	id := c.srv.newID("disco")
	c.asked[id] = q
	c.send(el(nsClient, "iq", "type", "get", "id", id, "from", c.account.bare, "to", c.name).
		with(el(nsDiscoInfo, "query", "node", caps.get("node")+"#"+q.ver)))
}

// learnCaps handles the answer. It is used for other sessions only if the hash is
// correct (XEP-0115 §5.4).
func (c *session) learnCaps(st *elem) {
	q, ok := c.asked[st.get("id")]
	if !ok {
		return
	}
	delete(c.asked, st.get("id"))
	info := st.child(nsDiscoInfo, "query")
	if st.get("type") != "result" || info == nil {
		return
	}
	c.pamCaps = false
	for _, f := range info.elems() {
		if f.is(nsDiscoInfo, "feature") && f.get("var") == nsPAM {
			c.pamCaps = true
		}
	}
	if q.hash == "sha-1" && capsHash(info) == q.ver {
		c.srv.caps[q.key()] = c.pamCaps
	}
}

func (q capsQuery) key() string { return q.hash + " " + q.ver }

// capsHash returns the verification string of XEP-0115 §5.1, hashed with SHA-1.
func capsHash(info *elem) string {
	var identities, features, forms []string
	for _, e := range info.elems() {
		switch {
		case e.is(nsDiscoInfo, "identity"):
			identities = append(identities, e.get("category")+"/"+e.get("type")+"/"+e.xmlLang()+"/"+e.get("name"))
		case e.is(nsDiscoInfo, "feature"):
			features = append(features, e.get("var"))
		case e.is(nsData, "x"):
			forms = append(forms, formString(e))
		}
	}
	slices.Sort(forms)
	sum := sha1.Sum([]byte(sorted(identities) + sorted(features) + strings.Join(forms, "")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func formString(form *elem) string {
	formType := ""
	fields := map[string]string{}
	for _, f := range form.elems() {
		var values []string
		for _, v := range f.elems() {
			values = append(values, v.text())
		}
		if f.get("var") == "FORM_TYPE" {
			formType = sorted(values)
		} else {
			fields[f.get("var")] = sorted(values)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		formType += name + "<" + fields[name]
	}
	return formType
}

// sorted joins the parts in byte order, each followed by '<', which does not affect
// the order.
func sorted(parts []string) string {
	slices.Sort(parts)
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p + "<")
	}
	return b.String()
}

// ordered returns the account's sessions ordered by resource, so that runs are
// deterministic.
func (a *account) ordered() []*session {
	out := make([]*session, 0, len(a.sessions))
	for _, c := range a.sessions {
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y *session) int { return strings.Compare(x.resource, y.resource) })
	return out
}
