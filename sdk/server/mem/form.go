package mem

import (
	"slices"
	"strconv"
)

const (
	nsData         = "jabber:x:data"
	nsDataValidate = "http://jabber.org/protocol/xdata-validate"
)

// values are the contents of a form, by the names of the fields.
type values map[string][]string

// get returns the first value of a field, or "".
func (v values) get(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}

// A field describes a field of a form (XEP-0004).
type field struct {
	name, typ, label string
	options          []string // none: any value
	value            []string // unless another one is given
}

// integerOrMax is a type of this package: text-single with a number or "max"
// (XEP-0060 §8.2.1).
const integerOrMax = "integer-or-max"

// A layout is a form: its FORM_TYPE and its fields.
type layout struct {
	formType string
	fields   []field
}

// elem returns the form of that type with values. Forms to be filled in have labels
// and options, as Prosody sends them.
func (l layout) elem(typ string, v values) *elem {
	x := el(nsData, "x", "type", typ).with(
		el(nsData, "field", "type", "hidden", "var", "FORM_TYPE").with(el(nsData, "value").with(l.formType)))
	for _, f := range l.fields {
		content, given := v[f.name]
		if !given {
			content = f.value
		}
		xmlType := f.typ
		if xmlType == integerOrMax {
			xmlType = "text-single"
		}
		e := el(nsData, "field", "type", xmlType, "var", f.name)
		if typ == "form" {
			e.set("label", f.label)
			if f.typ == integerOrMax {
				e.with(el(nsDataValidate, "validate", "datatype", "pubsub:integer-or-max").with(el(nsDataValidate, "range", "min", "1")))
			}
			for _, o := range f.options {
				e.with(el(nsData, "option", "label", o).with(el(nsData, "value").with(o)))
			}
		}
		for _, value := range content {
			e.with(el(nsData, "value").with(value))
		}
		x.with(e)
	}
	return x
}

// A formError says what is wrong with a form.
type formError struct{ field, text string }

const unknownField = "unknown field"

func (e *formError) Error() string { return e.field + ": " + e.text }

// read returns the values of a submitted form in normal form, without FORM_TYPE.
// Unknown fields are an error in a strict reading, and ignored otherwise, as Prosody
// does.
func (l layout) read(x *elem, strict bool) (values, *formError) {
	if x.get("type") != "submit" {
		return nil, &formError{"type", "not submit"}
	}
	v := values{}
	for _, e := range x.elems() {
		if !e.is(nsData, "field") {
			continue
		}
		name := e.get("var")
		var content []string
		for _, value := range e.elems() {
			if value.is(nsData, "value") {
				content = append(content, value.text())
			}
		}
		i := slices.IndexFunc(l.fields, func(f field) bool { return f.name == name })
		switch {
		case name == "FORM_TYPE":
			if len(content) != 1 || content[0] != l.formType {
				return nil, &formError{name, "not " + l.formType}
			}
			v[name] = content
			continue
		case i < 0 && strict:
			return nil, &formError{name, unknownField}
		case i < 0:
			continue
		case v[name] != nil:
			return nil, &formError{name, "twice"}
		}
		content, fault := l.fields[i].read(content)
		if fault != "" {
			return nil, &formError{name, fault}
		}
		v[name] = content
	}
	if v["FORM_TYPE"] == nil {
		return nil, &formError{"FORM_TYPE", "missing"}
	}
	delete(v, "FORM_TYPE")
	return v, nil
}

// read checks the values that were submitted for a field, and returns them in normal
// form, or what is wrong.
func (f field) read(content []string) (normal []string, fault string) {
	if len(content) > 1 && f.typ != "list-multi" {
		return nil, "several values"
	}
	normal = []string{}
	for _, value := range content {
		switch f.typ {
		case "boolean":
			switch value {
			case "1", "true":
				value = "1"
			case "0", "false":
				value = "0"
			default:
				return nil, "not a boolean"
			}
		case "list-single", "list-multi":
			if f.options != nil && !slices.Contains(f.options, value) {
				return nil, "not one of the options"
			}
		case "jid-single":
			j, err := parseJID(value)
			if err != nil {
				return nil, "not a JID"
			}
			value = j.String()
		case integerOrMax:
			if n, err := strconv.Atoi(value); value != "max" && (err != nil || n < 1) {
				return nil, "not a positive integer or max"
			}
		}
		normal = append(normal, value)
	}
	return normal, ""
}
