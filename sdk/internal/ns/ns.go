// Package ns holds the namespaces of the stanzas and elements that the client
// reads and writes, each once.
package ns

// Of the stream: RFC 6120, RFC 7395, XEP-0388, XEP-0198 and XEP-0199.
const (
	Framing = "urn:ietf:params:xml:ns:xmpp-framing"
	Stream  = "http://etherx.jabber.org/streams"
	Streams = "urn:ietf:params:xml:ns:xmpp-streams"
	SASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	Bind    = "urn:ietf:params:xml:ns:xmpp-bind"
	Client  = "jabber:client"
	Stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
	SM      = "urn:xmpp:sm:3"
	Ping    = "urn:xmpp:ping"
)

// Of extensions. PAM, DiscoInfo and Caps are features too.
const (
	PAM               = "urn:xmpp:pam:0"                          // XEP-0376
	Pubsub            = "http://jabber.org/protocol/pubsub"       // XEP-0060
	PubsubEvent       = "http://jabber.org/protocol/pubsub#event" // the rest of it
	PubsubErrors      = "http://jabber.org/protocol/pubsub#errors"
	PubsubOwner       = "http://jabber.org/protocol/pubsub#owner"
	DiscoItems        = "http://jabber.org/protocol/disco#items"
	Disco             = "http://jabber.org/protocol/disco" // XEP-0030; no element is in it
	DiscoInfo         = "http://jabber.org/protocol/disco#info"
	Caps              = "http://jabber.org/protocol/caps"           // XEP-0115
	Delay             = "urn:xmpp:delay"                            // XEP-0203
	DelayOld          = "jabber:x:delay"                            // XEP-0091
	ArchivesAllEvents = "urn:xmpp-pam:archives-all-events:0"        // sdk/server/prosody/README.md
	Seen              = "urn:xmpp-pam:seen:0"                       // sdk/internal/engine/seen_marker.go
	StanzaID          = "urn:xmpp:sid:0"                            // XEP-0359
	MAM               = "urn:xmpp:mam:2"                            // XEP-0313
	DataForms         = "jabber:x:data"                             // XEP-0004
	Validate          = "http://jabber.org/protocol/xdata-validate" // XEP-0122
	RSM               = "http://jabber.org/protocol/rsm"            // XEP-0059
	Forward           = "urn:xmpp:forward:0"                        // XEP-0297
	Atom              = "http://www.w3.org/2005/Atom"               // RFC 4287
	XHTML             = "http://www.w3.org/1999/xhtml"              // of texts in Atom
	MediaRSS          = "http://search.yahoo.com/mrss/"             // images in Atom
	SHIM              = "http://jabber.org/protocol/shim"           // XEP-0131
)
