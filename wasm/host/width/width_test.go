package width_test

import (
	"testing"

	real "golang.org/x/text/width"

	"xmpp-pam/wasm/host/hosttest"
	"xmpp-pam/wasm/host/width"
)

func TestSame(t *testing.T) {
	hosttest.Same(t, width.Fold, real.Fold)
}
