package pubsub

import (
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

// DelayStamp returns the time at which a delayed stanza was first received (XEP-0203, or
// the older XEP-0091), by the clock of the entity that delayed it. The first valid stamp
// counts, because each entity that delays a stanza again adds its own. It is zero if
// there is none. The parent may also be the <forwarded/> of an archive (XEP-0297).
func DelayStamp(parent *element.Element) time.Time {
	for e := range parent.Elements() {
		var at time.Time
		switch {
		case e.Is(ns.Delay, "delay"):
			at = parseTime(e.Attr("stamp"))
		case e.Is(ns.DelayOld, "x"):
			at, _ = time.Parse("20060102T15:04:05", e.Attr("stamp"))
		}
		if !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// parseTime parses a DateTime (XEP-0082, RFC 3339). It returns the zero time if text is
// not valid.
func parseTime(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at.UTC()
}
