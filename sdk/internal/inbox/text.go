package inbox

import (
	"strconv"
	"strings"
	"time"
)

// A record is UTF-8 text: a field ends in U+001F and a row in U+001E, neither of which
// XML can contain. Its last row has one field, the digest of all that is before it.
// Numbers are decimal, except for ids, digests and hashes, which have the base 36; times
// are milliseconds since 1970, or empty.
const fieldEnd, rowEnd = '\x1f', '\x1e'

const separators = "\x1e\x1f"

func appendField(out []byte, s string) []byte {
	if strings.ContainsAny(s, separators) { // not from XML
		s = strings.NewReplacer("\x1e", " ", "\x1f", " ").Replace(s)
	}
	return append(append(out, s...), fieldEnd)
}

func appendNumber(out []byte, n int) []byte {
	return append(strconv.AppendInt(out, int64(n), 10), fieldEnd)
}

func appendID(out []byte, n uint64) []byte {
	return append(strconv.AppendUint(out, n, 36), fieldEnd)
}

func appendMillis(out []byte, n int64) []byte {
	if n != 0 {
		out = strconv.AppendInt(out, n, 10)
	}
	return append(out, fieldEnd)
}

func appendFlag(out []byte, set bool) []byte {
	if set {
		out = append(out, '1')
	}
	return append(out, fieldEnd)
}

// seal appends the digest to a record.
func seal(out []byte) []byte { return append(appendID(out, uint64(digest(string(out)))), rowEnd) }

// unseal returns a reader of the rows of a record. It reports whether the digest is
// right.
func unseal(value []byte) (reader, bool) {
	text := string(value)
	body := strings.TrimSuffix(text, "\x1f\x1e")
	end := strings.LastIndexByte(body, rowEnd) + 1
	sum, err := strconv.ParseUint(body[end:], 36, 32)
	if len(body) == len(text) || err != nil || uint32(sum) != digest(text[:end]) {
		return reader{bad: true}, false
	}
	return reader{data: text[:end]}, true
}

// digest returns a hash like FNV-1a, but of eight bytes at a time.
func digest(s string) uint32 {
	h := uint64(fnvOffset) ^ uint64(len(s))
	for ; len(s) >= 8; s = s[8:] {
		w := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		h = (h ^ w) * fnvPrime
		h ^= h >> 32
	}
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return uint32(h * fnvPrime >> 32)
}

// A reader decodes rows of fields. After an error bad is set, and all further values are
// zero.
type reader struct {
	data string // decoded fields are slices of it
	bad  bool
}

func (r *reader) fail() { r.bad, r.data = true, "" }

func (r *reader) field() string {
	n := strings.IndexByte(r.data, fieldEnd)
	if n < 0 || strings.IndexByte(r.data[:n], rowEnd) >= 0 {
		r.fail()
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n+1:]
	return s
}

func (r *reader) endRow() {
	if r.data == "" || r.data[0] != rowEnd {
		r.fail()
		return
	}
	r.data = r.data[1:]
}

// row returns the rest of the row, which ends in fieldEnd.
func (r *reader) row() string {
	n := strings.IndexByte(r.data, rowEnd)
	if n < 0 {
		r.fail()
		return ""
	}
	s := r.data[:n]
	r.data = r.data[n+1:]
	return s
}

// number reads a number that is not negative and fits in 31 bits.
func (r *reader) number() int {
	n, err := strconv.ParseUint(r.field(), 10, 31)
	if err != nil {
		r.fail()
	}
	return int(n)
}

func (r *reader) id() uint64 {
	n, err := strconv.ParseUint(r.field(), 36, 64)
	if err != nil {
		r.fail()
	}
	return n
}

func (r *reader) millis() int64 {
	s := r.field()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		r.fail()
	}
	return n
}

func (r *reader) flag() bool { return r.field() != "" }

// code reads one of the codes, each of one byte, and returns its index.
func (r *reader) code(codes string) uint8 {
	s := r.field()
	if i := strings.Index(codes, s); len(s) == 1 && i >= 0 {
		return uint8(i)
	}
	r.fail()
	return 0
}

// millis returns the milliseconds since 1970, or 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

func formatID(n uint64) string { return strconv.FormatUint(n, 36) }

func parseID(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 36, 64)
	return n, err == nil
}
