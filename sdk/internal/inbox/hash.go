package inbox

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"xmpp-pam/sdk/internal/element"
)

// Hash functions: FNV-1a with 64 bits. It is not collision resistant, but events are
// only compared with others of the same node, so that a service could only hide its own.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func addText(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// hashText adds s and its end.
func hashText(h uint64, s string) uint64 { return (addText(h, s) ^ fieldEnd) * fnvPrime }

// hashElement returns a hash of the content of e that does not depend on prefixes and the
// order of attributes. It is not 0 unless e is nil.
func hashElement(e *element.Element) uint64 {
	if e == nil {
		return 0
	}
	return max(addElement(fnvOffset, e), 1)
}

func addElement(h uint64, e *element.Element) uint64 {
	h = hashText(hashText((h^rowEnd)*fnvPrime, e.Name.Space), e.Name.Local)
	var attrs uint64
	for _, a := range e.Attrs {
		attrs += hashText(hashText(hashText(fnvOffset, a.Name.Space), a.Name.Local), a.Value)
	}
	h = (h ^ attrs) * fnvPrime
	for _, c := range e.Children {
		if c.Element != nil {
			h = addElement(h, c.Element)
		} else {
			h = addText(h, c.Text)
		}
	}
	return (h ^ rowEnd) * fnvPrime
}

// Digest identifies the payload of an item; copies have equal digests. It is empty for
// nil.
func Digest(payload *element.Element) string { return formatDigest(hashElement(payload)) }

func formatDigest(hash uint64) string {
	if hash == 0 {
		return ""
	}
	return formatID(hash)
}

// fingerprint returns what identifies an event within its node.
func fingerprint(kind uint8, item string, hash uint64) uint64 {
	h := (uint64(fnvOffset) ^ uint64(kind)) * fnvPrime
	return (hashText(h, item) ^ hash) * fnvPrime
}

// remembered is the number of dropped events after which a generation of a memory ends.
const remembered = 32

// A memory holds what is remembered of dropped events: the fingerprints of the last ones,
// in two generations, and the horizon, the newest time of those before.
type memory struct {
	recent, older         []uint32
	newestRecent, horizon int64 // newestRecent is that of recent
	newestOlder           int64
}

// add remembers a dropped event. Only times that copies share raise the horizon, not
// those of this device's clock.
func (m *memory) add(e *event) {
	if len(m.recent) == remembered {
		m.horizon = max(m.horizon, m.newestOlder)
		m.older, m.newestOlder = m.recent, m.newestRecent
		m.recent, m.newestRecent = nil, 0
	}
	m.recent = append(m.recent, uint32(e.print))
	if e.timed() {
		m.newestRecent = max(m.newestRecent, e.at)
	}
}

// holds reports whether e was dropped before. Live events without a stamp are not
// compared with the horizon, because a payload may tell an old time, and those without an
// item id not with the fingerprints, because they happen again.
func (m *memory) holds(e *event) bool {
	if e.immediate() && e.item == "" {
		return false
	}
	if slices.Contains(m.recent, uint32(e.print)) || slices.Contains(m.older, uint32(e.print)) {
		return true
	}
	return m.horizon != 0 && !e.immediate() && e.timed() && e.at <= m.horizon
}

// packPrints returns fingerprints as text of 4 characters for 3 bytes.
func packPrints(prints []uint32) string {
	var out []byte
	for _, p := range prints {
		out = binary.BigEndian.AppendUint32(out, p)
	}
	return base64.RawStdEncoding.EncodeToString(out)
}

func unpackPrints(s string) (prints []uint32, ok bool) {
	data, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(data)%4 != 0 || len(data)/4 > remembered {
		return nil, false
	}
	for ; len(data) > 0; data = data[4:] {
		prints = append(prints, binary.BigEndian.Uint32(data))
	}
	return prints, true
}
