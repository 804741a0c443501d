//go:build js && wasm

package idb

import (
	"errors"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/store"
)

// Go compares keys by bytes, IndexedDB by UTF-16 units. One unit for each byte
// gives the same order in both; ASCII is unchanged.

func encodeKey(key string) string {
	for i := range len(key) {
		if key[i] >= 0x80 {
			units := make([]rune, len(key))
			for j := range len(key) {
				units[j] = rune(key[j])
			}
			return string(units)
		}
	}
	return key
}

func decodeKey(units string) string {
	key := make([]byte, 0, len(units))
	for _, unit := range units {
		key = append(key, byte(unit))
	}
	return string(key)
}

func encodeKeys(keys []string) []any {
	encoded := make([]any, len(keys))
	for i, key := range keys {
		encoded[i] = encodeKey(key)
	}
	return encoded
}

// encodeCommit returns the first three arguments of commit in idb.js.
func encodeCommit(expect []store.Record, ops []store.Op) (keys, values, changes []any, err error) {
	keys, values = make([]any, len(expect)), make([]any, len(expect))
	for i, record := range expect {
		keys[i] = encodeKey(record.Key)
		if record.Value == nil {
			continue // JavaScript gets null
		}
		if values[i], err = encodeValue(record.Value); err != nil {
			return nil, nil, nil, err
		}
	}
	changes = make([]any, 0, 3*len(ops))
	for _, op := range ops {
		var arg any
		switch op.Kind {
		case store.OpPut:
			if arg, err = encodeValue(op.Value); err != nil {
				return nil, nil, nil, err
			}
		case store.OpDelete:
			arg = ""
		case store.OpDeleteRange:
			arg = encodeKey(op.To)
		default:
			return nil, nil, nil, errors.New("an op is of an unknown kind; build ops with store.Put, Delete and DeleteRange")
		}
		changes = append(changes, int(op.Kind), encodeKey(op.Key), arg)
	}
	return keys, values, changes, nil
}

func encodeValue(value []byte) (safejs.Value, error) {
	class, err := safejs.Global().Get("Uint8Array")
	if err != nil {
		return class, err
	}
	array, err := class.New(len(value))
	if err != nil {
		return array, err
	}
	_, err = safejs.CopyBytesToJS(array, value)
	return array, err
}

// element returns element i of an array of Uint8Array, nil if it is undefined.
func element(array safejs.Value, i int) ([]byte, error) {
	v, err := array.Index(i)
	if err != nil || v.IsUndefined() {
		return nil, err
	}
	length, err := v.Length()
	if err != nil {
		return nil, err
	}
	value := make([]byte, length)
	_, err = safejs.CopyBytesToGo(value, v)
	return value, err
}

// decodeRecords turns the result of scan in idb.js into records.
func decodeRecords(result safejs.Value) ([]store.Record, error) {
	keys, err := result.Index(0)
	if err != nil {
		return nil, err
	}
	values, err := result.Index(1)
	if err != nil {
		return nil, err
	}
	length, err := keys.Length()
	if err != nil {
		return nil, err
	}
	records := make([]store.Record, length)
	for i := range records {
		key, err := keys.Index(i)
		if err != nil {
			return nil, err
		}
		records[i].Key = decodeKey(text(key))
		if records[i].Value, err = element(values, i); err != nil {
			return nil, err
		}
	}
	return records, nil
}
