package store_test

import (
	"testing"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return store.NewMemory() })
}
