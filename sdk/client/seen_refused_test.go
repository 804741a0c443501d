//go:build !js

package client_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/engine"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/internal/privatepep"
	"xmpp-pam/sdk/pam"
)

// TestRefusedMarkers has the account's server refuse the first publication of a marker. What
// the device does then depends on the type of the error and on both of its conditions.
func TestRefusedMarkers(t *testing.T) {
	key, _ := engine.Marker(pam.Marker{Service: "pubsub.localhost", Node: "news"})
	node := privatepep.Node(ns.Seen, key)
	var other, payload string // an older marker of a node that is kept in the same private node
	for i := 0; other == "" || privatepep.Node(ns.Seen, other) != node; i++ {
		other, payload = engine.Marker(pam.Marker{Service: "pubsub.localhost", Node: fmt.Sprint("n", i), ItemID: "0", At: time.Unix(0, 0), TimeSource: pam.TimePayload})
	}
	full, precondition := "<node-full xmlns='"+ns.PubsubErrors+"'/>", "<precondition-not-met xmlns='"+ns.PubsubErrors+"'/>"
	for _, tt := range []struct {
		name, kind, condition, more string
		want                        string // the requests after the publication
	}{
		{"the node is full", "cancel", "conflict", full, "retract publish"},
		{"the node is full, with another condition", "cancel", "not-allowed", full, "retract publish"},
		{"the node has changed", "cancel", "conflict", precondition, "items check publish"},
		{"the node has changed, with another condition", "modify", "not-acceptable", precondition, "items check publish"},
		{"a conflict", "cancel", "conflict", "", "items check publish"},
		{"a condition in another namespace", "cancel", "not-allowed", "<node-full xmlns='urn:x'/>", ""},
		{"for some time", "wait", "policy-violation", "", "publish"},
		{"for ever", "modify", "policy-violation", "", ""},
		{"without publish options", "cancel", "feature-not-implemented", "", ""},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			var asked []string
			f.handle = func(s *socket, e *element.Element) bool {
				request := e.Child(ns.Pubsub, "pubsub").First()
				if request == nil {
					request = e.Child(ns.PubsubOwner, "pubsub").First()
				}
				switch {
				case isList(e):
					s.result(e, rowsOfNews("v1", "s1"))
				case e.Attr("to") != "alice@localhost":
					return false
				case isDisco(e):
					s.result(e, "<query xmlns='"+nsInfo+"'><identity category='pubsub' type='pep'/><feature var='"+ns.Pubsub+"#publish-options'/></query>")
				case e.Child(ns.DiscoItems, "query") != nil:
					s.result(e, "<query xmlns='"+ns.DiscoItems+"'><item jid='alice@localhost' node='"+node+"'/></query>")
				case request == nil:
					return false
				default:
					what := request.Name.Local
					if what == "configure" && e.Attr("type") == "get" {
						what = "check"
					}
					asked = append(asked, what)
					switch what {
					case "items":
						s.result(e, "<pubsub xmlns='"+ns.Pubsub+"'><items node='"+node+"'><item id='"+other+"'>"+payload+"</item></items></pubsub>")
					case "check":
						s.result(e, "<pubsub xmlns='"+ns.PubsubOwner+"'><configure node='"+node+"'><x xmlns='jabber:x:data' type='form'>"+
							"<field var='FORM_TYPE' type='hidden'><value>"+ns.Pubsub+"#node_config</value></field>"+
							"<field var='pubsub#access_model' type='list-single'><value>whitelist</value></field>"+
							"<field var='pubsub#persist_items' type='boolean'><value>1</value></field>"+
							"<field var='pubsub#max_items' type='text-single'><value>max</value></field></x></configure></pubsub>")
					case "publish":
						if !slices.Contains(asked[:len(asked)-1], what) {
							s.refuse(e, "<error type='"+tt.kind+"'><"+tt.condition+" xmlns='"+nsStanzas+"'/>"+tt.more+"</error>")
							break
						}
						fallthrough
					default:
						s.result(e, "")
					}
				}
				return true
			}
			d := f.device(t).connect()
			time.Sleep(10 * time.Minute)
			f.socket().push(eventOf("pubsub.localhost", "news", "<item id='1'>"+entryAt(time.Now())+"</item>"))
			synctest.Wait()
			check(t, d.MarkSeen(t.Context(), d.id("1")))
			time.Sleep(30 * time.Second) // The inbox tries again after a minute.
			synctest.Wait()
			want := strings.TrimSpace("items check publish " + tt.want)
			f.set(func() {
				if got := strings.Join(asked, " "); got != want {
					t.Errorf("the requests are %q, want %q\n%s", got, want, d.log())
				}
			})
			_ = d.Close()
		})
	}
}
