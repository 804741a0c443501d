package file

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"xmpp-pam/sdk/store"
)

// A file holds the format, a random id, the number and id of the snapshot that it is
// based on (its own if it is one), the ops of a commit, and the SHA-256 digest of all
// that.
//
//	file = "xmpp-pam store 1\n" id number id { kind text text } digest
//	text = length bytes
//
// The id distinguishes files that had the same number one after the other.
// Numbers and lengths are those of encoding/binary.AppendUvarint. The second text is the
// value of a put, or the end of a range.
const (
	formats = "xmpp-pam store "
	format  = formats + "1\n"

	headSize = len(format) + len(fileID{}) // of the part of a file that identifies it
)

type fileID [16]byte

// A header describes a file: its id, and the snapshot that it is based on.
type header struct {
	id     fileID
	base   uint64
	baseID fileID
}

// newHeader returns the header of a new file that is based on a snapshot.
func newHeader(base uint64, baseID fileID) header {
	h := header{base: base, baseID: baseID}
	rand.Read(h.id[:])
	return h
}

// newSnapshot returns the header of a new file that is the snapshot with a number.
func newSnapshot(number uint64) header {
	h := newHeader(number, fileID{})
	h.baseID = h.id
	return h
}

// head returns the first bytes of the file.
func (h header) head() []byte { return append([]byte(format), h.id[:]...) }

var (
	errFormat  = errors.New("a newer version of the program has written it")
	errDamaged = errors.New("it is damaged")
)

// encodeOps returns the ops as a part of a file.
func encodeOps(ops []store.Op) ([]byte, error) {
	var b []byte
	for _, op := range ops {
		second := op.Value
		switch op.Kind {
		case store.OpPut:
		case store.OpDelete:
			second = nil
		case store.OpDeleteRange:
			second = []byte(op.To)
		default:
			return nil, fmt.Errorf("file: commit: an op of unknown kind %d; build ops with store.Put, Delete or DeleteRange", op.Kind)
		}
		b = append(b, byte(op.Kind))
		b = append(binary.AppendUvarint(b, uint64(len(op.Key))), op.Key...)
		b = append(binary.AppendUvarint(b, uint64(len(second))), second...)
	}
	return b, nil
}

// encode returns a file.
func encode(h header, body []byte) []byte {
	b := binary.AppendUvarint(h.head(), h.base)
	b = append(b, h.baseID[:]...)
	b = append(b, body...)
	digest := sha256.Sum256(b)
	return append(b, digest[:]...)
}

// decode reads a file. Its ops share memory with data.
func decode(data []byte) (h header, ops []store.Op, err error) {
	rest, ok := bytes.CutPrefix(data, []byte(format))
	if !ok {
		if bytes.HasPrefix(data, []byte(formats)) && len(data) > len(format) {
			return header{}, nil, errFormat
		}
		return header{}, nil, errDamaged
	}
	end := len(rest) - sha256.Size
	if end < 0 {
		return header{}, nil, errDamaged
	}
	if digest := sha256.Sum256(data[:len(data)-sha256.Size]); !bytes.Equal(digest[:], rest[end:]) {
		return header{}, nil, errDamaged
	}
	r := reader{rest[:end], true}
	h.id = r.id()
	h.base = r.number()
	h.baseID = r.id()
	for len(r.data) > 0 && r.ok {
		op := store.Op{Kind: store.OpKind(r.data[0])}
		r.data = r.data[1:]
		op.Key = string(r.text())
		second := r.text()
		switch op.Kind {
		case store.OpPut:
			op.Value = second
		case store.OpDelete:
		case store.OpDeleteRange:
			op.To = string(second)
		default:
			r.ok = false
		}
		ops = append(ops, op)
	}
	if !r.ok || h.base == 0 {
		return header{}, nil, errDamaged
	}
	return h, ops, nil
}

// A reader reads numbers and texts; ok becomes false at the first that is not there.
type reader struct {
	data []byte
	ok   bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.ok, r.data = false, nil
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *reader) id() (id fileID) {
	if len(r.data) < len(id) {
		r.ok, r.data = false, nil
		return id
	}
	r.data = r.data[copy(id[:], r.data):]
	return id
}

func (r *reader) text() []byte {
	n := r.number()
	if !r.ok || n > uint64(len(r.data)) {
		r.ok, r.data = false, nil
		return nil
	}
	text := r.data[:n:n]
	r.data = r.data[n:]
	return text
}
