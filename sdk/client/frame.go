package client

import "xmpp-pam/sdk/pam"

// A Frame describes one WebSocket message; see package pam.
type Frame = pam.Frame

// MaxFrame is the maximum length in bytes of Frame.XML.
const MaxFrame = pam.MaxFrame
