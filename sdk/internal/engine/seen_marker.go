package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// The devices of an account share, for each followed node, a marker: up to which event all
// were seen. It is an item of a private node of the account's own PEP service. The nodes
// are urn:xmpp-pam:seen:0:0 to urn:xmpp-pam:seen:0:63 (package privatepep). The id of the
// item is markerKey, and its payload is
//
//	<seen xmlns='urn:xmpp-pam:seen:0' service='pubsub.example.org' node='news'
//	    item='ae890ac5' at='2026-11-22T09:47:39.5Z' source='archive'/>
//
// service and node name the followed node, and item is the id of the item of the event. At
// is when the event happened, in UTC with up to three decimals, and source how the device
// knows that: a pam.TimeSource, where an unknown one means local-clock. Without at, the
// device does not know.

// Limits of the names in a marker, which other devices send: those of a JID (RFC 7622), and
// of a node and an item in package inbox.
const (
	maxMarkerService = 2047
	maxMarkerName    = 4096
)

const markerTime = "2006-01-02T15:04:05.999Z"

// markerKey returns the id of the item with the marker of a node: the first 20 bytes of the
// SHA-256 hash of the service, "<" and the node, in hexadecimal.
func markerKey(service, node string) string {
	sum := sha256.Sum256([]byte(service + "<" + node))
	return hex.EncodeToString(sum[:20])
}

// encodeMarker returns the payload of the item with a marker.
func encodeMarker(k pam.Marker) *element.Element {
	e := element.New(ns.Seen, "seen").Set("service", k.Service).Set("node", k.Node).Set("item", k.ItemID)
	if !k.At.IsZero() {
		e.Set("at", k.At.UTC().Format(markerTime)).Set("source", string(k.TimeSource))
	}
	return e
}

// decodeMarker reports whether e, which may be nil, is the payload of the item with that
// key, and returns the marker in it.
func decodeMarker(key string, e *element.Element) (k pam.Marker, ok bool) {
	if !e.Is(ns.Seen, "seen") {
		return k, false
	}
	k = pam.Marker{Service: strings.Clone(e.Attr("service")), Node: strings.Clone(e.Attr("node")), ItemID: strings.Clone(e.Attr("item")), TimeSource: pam.TimeLocalClock}
	if k.ItemID == "" || len(k.Service) > maxMarkerService || len(k.Node) > maxMarkerName || len(k.ItemID) > maxMarkerName ||
		markerKey(k.Service, k.Node) != key {
		return pam.Marker{}, false
	}
	at, err := time.Parse(markerTime, e.Attr("at"))
	if err != nil {
		return k, true
	}
	k.At = at
	switch source := pam.TimeSource(e.Attr("source")); source {
	case pam.TimeDelay, pam.TimeArchive, pam.TimePayload:
		k.TimeSource = source
	}
	return k, true
}

// markerRank returns the rank of an item if its node is full: the latest markers are the
// most useful.
func markerRank(key string, payload *element.Element) int64 {
	k, _ := decodeMarker(key, payload)
	if k.At.IsZero() {
		return 0
	}
	return k.At.UnixMilli()
}
