package engine

import (
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/pam"
)

// An Event is what the program hears of: a Changed, ProvisionalChanged,
// StateChanged, MessageReceived, Stored or Warning. Package client has the same
// types, and says what they mean.
type Event interface{ event() }

type (
	// Changed says that the committed list differs.
	Changed struct {
		Changes  []pam.Change
		From, To pam.Version
		Origin   pam.Origin
		Source   pam.Source
	}
	// ProvisionalChanged replaces the provisional layer.
	ProvisionalChanged struct{ Items []pam.Provisional }
	// StateChanged says that the state differs.
	StateChanged struct{ State pam.SyncState }
	// MessageReceived hands on a message stanza.
	MessageReceived struct {
		From, To, Type, ID string
		XML                string
		Omitted            Omitted
	}
	// Stored says that the list in the store has changed.
	Stored struct{}
	// Warning reports a problem that ends nothing.
	Warning struct {
		Err     *pam.Error
		Ignored uint64
	}
)

func (Changed) event()            {}
func (ProvisionalChanged) event() {}
func (StateChanged) event()       {}
func (MessageReceived) event()    {}
func (Stored) event()             {}
func (Warning) event()            {}

// MaxText is the length in bytes of the longest text of a message that is handed
// on.
const MaxText = 4 << 20

// Omitted says why a message is handed on without its text; "" if it has one.
type Omitted string

// The reasons.
const (
	OmittedTooLong    Omitted = "too-long"
	OmittedUnreadable Omitted = "unreadable"
)

// newMessage finds out whether the text can be handed on.
func newMessage(stanza *element.Element) MessageReceived {
	m := MessageReceived{From: stanza.Attr("from"), To: stanza.Attr("to"), Type: stanza.Attr("type"), ID: stanza.Attr("id")}
	switch text, err := stanza.XML(MaxText); err {
	case nil:
		m.XML = text
	case element.ErrTooLong:
		m.Omitted = OmittedTooLong
	default:
		m.Omitted = OmittedUnreadable
	}
	return m
}
