//go:build js && wasm && browser

package main

import (
	"errors"

	"xmpp-pam/sdk/store"
)

// openFiles fails: browsers have no files, and without the store the program is smaller.
func openFiles(string, string) (store.Store, error) {
	return nil, errors.New("this program is for browsers")
}
