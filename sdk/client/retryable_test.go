//go:build !js

package client_test

import (
	"testing"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// TestRetryable refuses requests of the program in several ways. An error can be retried if
// its type or its condition says that it is temporary; its origin is what by says, or else
// the entity that was asked.
func TestRetryable(t *testing.T) {
	condition := func(name string) string { return "<" + name + " xmlns='" + nsStanzas + "'/>" }
	failure := func(attributes, condition string) string {
		return "<error " + attributes + ">" + condition + "</error>"
	}
	for _, tt := range []struct {
		name, to, failure string
		want              pam.Error
	}{
		{"wait, and a condition that is none", "news.localhost", failure("type='wait'", condition("not-acceptable")),
			pam.Error{Type: "wait", Condition: "not-acceptable", Retryable: true, Origin: pam.FromService, By: "news.localhost", Text: "news.localhost answered not-acceptable."}},
		{"cancel, and a temporary condition", "news.localhost", failure("type='cancel'", condition("resource-constraint")),
			pam.Error{Type: "cancel", Condition: "resource-constraint", Retryable: true, Origin: pam.FromService, By: "news.localhost", Text: "news.localhost answered resource-constraint."}},
		{"cancel, and another condition", "news.localhost", failure("type='cancel'", condition("not-acceptable")),
			pam.Error{Type: "cancel", Condition: "not-acceptable", Origin: pam.FromService, By: "news.localhost", Text: "news.localhost answered not-acceptable."}},
		{"without a type", "news.localhost", failure("", condition("internal-server-error")),
			pam.Error{Condition: "internal-server-error", Retryable: true, Origin: pam.FromService, By: "news.localhost", Text: "news.localhost answered internal-server-error."}},
		{"without an error", "news.localhost", "",
			pam.Error{Condition: "undefined-condition", Origin: pam.FromService, By: "news.localhost", Text: "news.localhost answered undefined-condition."}},
		{"by the server of the account", "news.localhost", failure("type='cancel' by='localhost'", condition("remote-server-timeout")),
			pam.Error{Type: "cancel", Condition: "remote-server-timeout", Retryable: true, Origin: pam.FromServer, By: "localhost", Text: "The account's server answered remote-server-timeout."}},
		{"the account itself", "", failure("type='auth'", condition("forbidden")),
			pam.Error{Type: "auth", Condition: "forbidden", Origin: pam.FromServer, Text: "The account's server answered forbidden."}},
		{"of pubsub, with a text", "news.localhost", failure("type='cancel'", condition("bad-request")+"<text xmlns='"+nsStanzas+"'>No id.</text><invalid-subid xmlns='http://jabber.org/protocol/pubsub#errors'/>"),
			pam.Error{Type: "cancel", Condition: "bad-request", PubsubCondition: "invalid-subid", Origin: pam.FromService, By: "news.localhost",
				Text: "news.localhost answered bad-request (invalid-subid). Its text: No id."}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			f := newScripted()
			f.handle = func(s *socket, e *element.Element) bool {
				if isVersion(e) {
					s.refuse(e, tt.failure)
				}
				return isVersion(e)
			}
			d := f.device(t).connect()
			_, err := d.IQ(t.Context(), tt.to, "get", versionQuery)
			tt.want.Code = pam.CodeStanza
			if got := asError(t, err); *got != tt.want {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
			_ = d.Close()
		})
	}
}
