//go:build js && wasm && !browser

package main

import (
	"errors"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/file"
)

// openFiles opens the files of the account.
func openFiles(directory, account string) (store.Store, error) {
	bare := bareAccount(account)
	if bare == "" {
		return nil, errors.New("the account is no address") // New reports the error.
	}
	s, err := file.Open(directory, bare)
	if err != nil {
		return nil, err
	}
	return s, nil
}
