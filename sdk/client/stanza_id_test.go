//go:build !js

package client_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// TestStanzaIDs sends a live event with stanza-ids (XEP-0359). The next session reads the
// archive of the account after the id that the account has given, and not after one by
// another entity, or by none: the sender may have chosen that one.
func TestStanzaIDs(t *testing.T) {
	const (
		own   = " by='alice@localhost'"
		known = "known" // of the event before
	)
	for _, tt := range []struct {
		name string
		ids  []string // the attribute by of each stanza-id; the ids are their numbers
		want string
	}{
		{"none", nil, known},
		{"of the account", []string{own}, "0"},
		{"of the account, in another spelling", []string{" by='Alice@LOCALHOST'"}, "0"},
		{"without by", []string{""}, known},
		{"with an empty by", []string{" by=''"}, known},
		{"of the domain", []string{" by='localhost'"}, known},
		{"of the service", []string{" by='pubsub.localhost'"}, known},
		{"of the session", []string{" by='alice@localhost/x'"}, known},
		{"of another account", []string{" by='bob@localhost'"}, known},
		{"with what is no address", []string{" by='@'"}, known},
		{"of no one after that of the account", []string{own, ""}, "0"},
		{"of the domain after that of the account", []string{own, " by='localhost'"}, "0"},
		{"of others before that of the account", []string{"", " by='localhost'", " by='pubsub.localhost'", own}, "3"},
		{"in another namespace", []string{" xmlns='urn:x'" + own}, known},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			var after []string
			f.handle = func(s *socket, e *element.Element) bool {
				query := e.Child(ns.MAM, "query")
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case isDisco(e) && e.Attr("to") == "alice@localhost":
					s.result(e, "<query xmlns='"+nsInfo+"'><feature var='"+ns.PAM+"'/><feature var='"+ns.MAM+"'/><feature var='"+ns.ArchivesAllEvents+"'/></query>")
				case query != nil:
					after = append(after, query.Child(ns.RSM, "set").Child(ns.RSM, "after").Text())
					s.result(e, "<fin xmlns='"+ns.MAM+"' complete='true'><set xmlns='"+ns.RSM+"'/></fin>")
				default:
					return false
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(time.Minute)
			event := func(item, ids string) {
				f.socket().push(strings.Replace(eventOf("pubsub.localhost", "news", itemOf(item)), "</event>", "</event>"+ids, 1))
				synctest.Wait()
			}
			event("1", "<stanza-id xmlns='"+ns.StanzaID+"' id='"+known+"'"+own+"/>")
			ids := ""
			for i, by := range tt.ids {
				if !strings.Contains(by, "xmlns=") {
					by = " xmlns='" + ns.StanzaID + "'" + by
				}
				ids += fmt.Sprintf("<stanza-id id='%d'%s/>", i, by)
			}
			event("2", ids)
			check(t, d.Disconnect(t.Context()))
			time.Sleep(time.Hour)
			f.set(func() { after = nil })
			d.connect()
			time.Sleep(time.Minute)
			synctest.Wait()
			f.set(func() {
				if len(after) == 0 || after[0] != tt.want || len(d.all(t)) != 2 {
					t.Errorf("the archive was read after %q, want %q\n%s", after, tt.want, d.log())
				}
			})
			_ = d.Close()
		})
	}
}
