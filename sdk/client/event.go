package client

import "xmpp-pam/sdk/pam"

// An Event is one of the types below, which are documented in package pam.
type Event = pam.ClientEvent

// The events.
type (
	Changed            = pam.Changed
	ProvisionalChanged = pam.ProvisionalChanged
	StateChanged       = pam.StateChanged
	MessageReceived    = pam.MessageReceived
	EventsChanged      = pam.EventsChanged
	CatchUpChanged     = pam.CatchUpChanged
	SeenScopeChanged   = pam.SeenScopeChanged
	Warning            = pam.Warning
	Omitted            = pam.Omitted
)

// MaxText is the maximum length in bytes of MessageReceived.XML.
const MaxText = pam.MaxText

// The reasons to deliver a message without its text.
const (
	OmittedTooLong    = pam.OmittedTooLong
	OmittedUnreadable = pam.OmittedUnreadable
)
