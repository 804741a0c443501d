package client

import "xmpp-pam/sdk/pam"

// A Frame is one message on the wire; package pam says what its fields mean.
type Frame = pam.Frame

// MaxFrame is how many bytes of a message a Frame shows.
const MaxFrame = pam.MaxFrame
