package mem

import (
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
)

const (
	nsCaps = "http://jabber.org/protocol/caps"

	maxCaps = 10000 // caps hashes that are remembered
)

// capsQuery is a pending query to a session for the features of a caps hash.
type capsQuery struct{ hash, ver string }

// capsInfo is what the server needs of a client's features.
type capsInfo struct {
	pam   bool     // the client advertises PAM
	nodes []string // the personal nodes whose events it wants (+notify)
}

// readCaps records the capabilities of the session's client (XEP-0115). It queries an
// unknown hash once per session. Presence without caps changes nothing.
func (c *session) readCaps(caps *elem) {
	if caps == nil || caps.get("ver") == "" {
		return
	}
	q := capsQuery{caps.get("hash"), caps.get("ver")}
	if info, known := c.srv.caps[q.key()]; known {
		c.pamCaps = info.pam
		c.setInterest(info.nodes)
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

// learnCaps handles the answer. Only if the hash is correct (XEP-0115 §5.4), it is used
// for other sessions, and the session receives the events of nodes with +notify.
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
	var has capsInfo
	for _, f := range info.elems() {
		if f.is(nsDiscoInfo, "feature") {
			has.pam = has.pam || f.get("var") == nsPAM
			if node, notify := strings.CutSuffix(f.get("var"), "+notify"); notify {
				has.nodes = append(has.nodes, node)
			}
		}
	}
	c.pamCaps = has.pam
	if q.hash != "sha-1" || capsHash(info) != q.ver {
		return
	}
	if len(c.srv.caps) >= maxCaps {
		clear(c.srv.caps)
	}
	c.srv.caps[q.key()] = has
	c.setInterest(has.nodes)
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
