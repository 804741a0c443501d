package client

import "xmpp-pam/sdk/pam"

// An Event is one of the types below; package pam says what they mean.
type Event = pam.ClientEvent

// The events.
type (
	Changed            = pam.Changed
	ProvisionalChanged = pam.ProvisionalChanged
	StateChanged       = pam.StateChanged
	MessageReceived    = pam.MessageReceived
	Stored             = pam.Stored
	Warning            = pam.Warning
	Omitted            = pam.Omitted
)

// MaxText is the length in bytes of the longest text of a message that is handed
// on.
const MaxText = pam.MaxText

// The reasons to hand on a message without its text.
const (
	OmittedTooLong    = pam.OmittedTooLong
	OmittedUnreadable = pam.OmittedUnreadable
)
