package hostmeta

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is the maximum nesting depth of arrays and objects.
const maxDepth = 32

// The errors of readJSON. The first is for a text that is not JSON; the others are for
// what I-JSON forbids because parsers disagree about it, and for excessive nesting.
var (
	errJSON      = errors.New("the document is no JSON")
	errUTF8      = errors.New("the JSON is not UTF-8")
	errSurrogate = errors.New("the JSON holds half of a surrogate pair")
	errDuplicate = errors.New("the JSON names a member twice")
	errDepth     = errors.New("the JSON is nested too deep")
)

// A number is a JSON number as it was written.
type number string

// readJSON parses one JSON text (RFC 8259) under the rules of I-JSON (RFC 7493).
// Objects become map[string]any, arrays []any, strings string, numbers number, and true,
// false and null become true, false and nil. encoding/json would increase the size of the
// wasm by a tenth.
func readJSON(text string) (any, error) {
	if !utf8.ValidString(text) {
		return nil, errUTF8
	}
	r := jsonReader{rest: text}
	value := r.value(0)
	r.space()
	if r.rest != "" {
		r.fail(errJSON)
	}
	return value, r.err
}

// A jsonReader has parsed all text before rest. After an error rest is empty, which ends
// the parsing.
type jsonReader struct {
	rest string
	err  error
}

func (r *jsonReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = ""
}

func (r *jsonReader) space() { r.rest = strings.TrimLeft(r.rest, " \t\r\n") }

// take reports whether token comes next, white space apart, and skips it.
func (r *jsonReader) take(token string) bool {
	r.space()
	rest, ok := strings.CutPrefix(r.rest, token)
	r.rest = rest
	return ok
}

func (r *jsonReader) value(depth int) any {
	switch {
	case depth > maxDepth:
		r.fail(errDepth)
	case r.take("{"):
		return r.object(depth)
	case r.take("["):
		return r.array(depth)
	case r.take(`"`):
		return r.string()
	case r.take("true"):
		return true
	case r.take("false"):
		return false
	case r.take("null"):
	default:
		return r.number()
	}
	return nil
}

func (r *jsonReader) object(depth int) any {
	object := map[string]any{}
	if r.take("}") {
		return object
	}
	for r.err == nil {
		if !r.take(`"`) {
			r.fail(errJSON)
			break
		}
		name := r.string()
		if !r.take(":") {
			r.fail(errJSON)
		}
		if _, twice := object[name]; twice {
			r.fail(errDuplicate)
		}
		object[name] = r.value(depth + 1)
		if r.take("}") {
			break
		}
		if !r.take(",") {
			r.fail(errJSON)
		}
	}
	return object
}

func (r *jsonReader) array(depth int) any {
	array := []any{}
	if r.take("]") {
		return array
	}
	for r.err == nil {
		array = append(array, r.value(depth+1))
		if r.take("]") {
			break
		}
		if !r.take(",") {
			r.fail(errJSON)
		}
	}
	return array
}

// string parses a string after its opening quote.
func (r *jsonReader) string() string {
	var b strings.Builder
	for {
		i := strings.IndexFunc(r.rest, func(c rune) bool { return c == '"' || c == '\\' || c < ' ' })
		if i < 0 || r.rest[i] < ' ' {
			r.fail(errJSON)
			return ""
		}
		b.WriteString(r.rest[:i])
		end := r.rest[i]
		r.rest = r.rest[i+1:]
		if end == '"' {
			return b.String()
		}
		b.WriteRune(r.escape())
	}
}

// escape parses an escape sequence after its backslash.
func (r *jsonReader) escape() rune {
	if r.rest == "" {
		r.fail(errJSON)
		return 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, r.rest[0]); i >= 0 {
		r.rest = r.rest[1:]
		return rune("\"\\/\b\f\n\r\t"[i])
	}
	c := r.unit()
	if utf16.IsSurrogate(c) {
		low := rune(0)
		if strings.HasPrefix(r.rest, `\u`) {
			r.rest = r.rest[1:]
			low = r.unit()
		}
		if c = utf16.DecodeRune(c, low); c == utf8.RuneError {
			r.fail(errSurrogate)
		}
	}
	return c
}

// unit parses the letter u and four hexadecimal digits.
func (r *jsonReader) unit() rune {
	if len(r.rest) < 5 || r.rest[0] != 'u' {
		r.fail(errJSON)
		return 0
	}
	unit := rune(0)
	for _, c := range r.rest[1:5] {
		digit := strings.IndexRune("0123456789abcdefABCDEF", c)
		if digit < 0 {
			r.fail(errJSON)
			return 0
		}
		if digit > 15 {
			digit -= 6
		}
		unit = unit<<4 | rune(digit)
	}
	r.rest = r.rest[5:]
	return unit
}

// number parses a number: -? digits without leading zero, fraction, exponent.
func (r *jsonReader) number() any {
	all := r.rest
	r.skip("-")
	if !r.skip("0") && r.digits() == 0 {
		r.fail(errJSON)
	}
	if r.skip(".") && r.digits() == 0 {
		r.fail(errJSON)
	}
	if r.skip("e") || r.skip("E") {
		_ = r.skip("+") || r.skip("-")
		if r.digits() == 0 {
			r.fail(errJSON)
		}
	}
	return number(all[:len(all)-len(r.rest)])
}

func (r *jsonReader) skip(token string) bool {
	rest, ok := strings.CutPrefix(r.rest, token)
	r.rest = rest
	return ok
}

// digits skips decimal digits and returns their number.
func (r *jsonReader) digits() int {
	n := len(r.rest)
	r.rest = strings.TrimLeft(r.rest, "0123456789")
	return n - len(r.rest)
}
