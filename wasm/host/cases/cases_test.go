package cases_test

import (
	"testing"

	real "golang.org/x/text/cases"
	"golang.org/x/text/language"

	"xmpp-pam/wasm/host/cases"
	"xmpp-pam/wasm/host/hosttest"
)

func TestSame(t *testing.T) {
	hosttest.Same(t, cases.Lower(language.Und, cases.HandleFinalSigma(false)), real.Lower(language.Und, real.HandleFinalSigma(false)))
}
