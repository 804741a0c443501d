//go:build !js

package client_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/store"
)

// testPassword is the password of alice in all tests. At the end of its test, every
// device searches everything that a client shows, reports and stores for it.
const testPassword = "canary-8f1Kq-Zw6tP"

// secrets returns the forms in which the password might appear: as plain text, and
// encoded as by the mechanism PLAIN after any prefix.
func secrets(password string) []string {
	forms := []string{password}
	for skip := range 3 {
		// The part of the encoding that does not depend on the text before and after
		// it.
		encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + password))
		forms = append(forms, encoded[4:len(encoded)-4])
	}
	return forms
}

// checkNoPassword fails the test if the password is in the wire log, an event, the state
// or a record.
func (d *device) checkNoPassword(opened store.Store) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := map[string]string{"the wire log": d.logLocked()}
	var events, records strings.Builder
	for _, e := range d.events {
		switch e := e.(type) {
		case client.Warning:
			fmt.Fprintf(&events, "%v %+v\n", e.Err, e.Err)
		case client.StateChanged:
			fmt.Fprintf(&events, "%+v %v\n", e.State, e.State.Err)
		case client.MessageReceived:
			events.WriteString(e.XML)
		default:
			fmt.Fprintf(&events, "%+v\n", e)
		}
	}
	seen["an event"] = events.String()
	if opened != nil {
		all, _ := opened.Scan(context.Background(), store.Range{})
		for _, r := range all {
			fmt.Fprintf(&records, "%s %s\n", r.Key, r.Value)
		}
		seen["the store"] = records.String()
	}
	for where, text := range seen {
		for _, secret := range secrets(testPassword) {
			if strings.Contains(text, secret) {
				d.t.Errorf("the password is in %s", where)
			}
		}
	}
}
