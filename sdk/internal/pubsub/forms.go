package pubsub

import (
	"strings"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
	"xmpp-pam/sdk/pam"
)

// The values of FORM_TYPE (XEP-0068) of XEP-0060 §17.4.
const (
	formSubscribeOptions = "http://jabber.org/protocol/pubsub#subscribe_options"
	formPublishOptions   = "http://jabber.org/protocol/pubsub#publish-options"
	formNodeConfig       = "http://jabber.org/protocol/pubsub#node_config"
	formMetaData         = "http://jabber.org/protocol/pubsub#meta-data"
	formTypeField        = "FORM_TYPE"
)

// The limits of a form. Forms of services have up to 40 fields.
const (
	maxFields     = 256
	maxValues     = 1024     // of a field; also the maximum number of choices
	maxFieldValue = 64 << 10 // bytes
	maxLabel      = 1 << 10  // bytes; a longer label is shortened
)

// ParseForm parses a data form of any type (XEP-0004 §3). Fields of type fixed are left
// out, because they hold no data; a field of an unknown type is text (§3.3). Only the
// first field with a name counts.
//
// If the error is ErrLeftOut, the returned form is valid, but lacks fields, choices or
// values that exceed a limit. If it is ErrResult, x is not a form.
func ParseForm(x *element.Element) (pam.Form, error) {
	if !x.Is(ns.DataForms, "x") {
		return nil, ErrResult
	}
	var form pam.Form
	var left leftOut
	for e := range x.Elements() {
		name := e.Attr("var")
		switch {
		case !e.Is(ns.DataForms, "field") || e.Attr("type") == "fixed":
		case name == "" || len(name) > maxID || len(form) == maxFields:
			left.out("a field without a name, with a long one, or too many fields")
		case form.Field(name) == nil:
			form = append(form, parseField(e, name, &left))
		}
	}
	return form, left.err()
}

func parseField(e *element.Element, name string, left *leftOut) pam.FormField {
	f := pam.FormField{
		Name: strings.Clone(name), Type: fieldType(e.Attr("type")), Label: shorten(e.Attr("label"), maxLabel),
		Description: shorten(strings.TrimSpace(e.Child(ns.DataForms, "desc").Text()), maxLabel),
		Required:    e.Child(ns.DataForms, "required") != nil,
	}
	if name == formTypeField { // its type is optional in a form of type submit
		f.Type = pam.FieldHidden
	}
	for c := range e.Elements() {
		switch {
		case c.Is(ns.DataForms, "value"):
			if value := c.Text(); len(value) > maxFieldValue || len(f.Values) == maxValues {
				left.out("a value of the field " + clip(name))
			} else {
				f.Values = append(f.Values, strings.Clone(value))
			}
		case c.Is(ns.DataForms, "option"):
			if value := c.Child(ns.DataForms, "value").Text(); len(value) > maxFieldValue || len(f.Choices) == maxValues {
				left.out("a choice of the field " + clip(name))
			} else {
				f.Choices = append(f.Choices, pam.Choice{Value: strings.Clone(value), Label: shorten(c.Attr("label"), maxLabel)})
			}
		}
	}
	if !isMulti(f.Type) && len(f.Values) > 1 {
		f.Values = f.Values[:1]
	}
	if f.Type == pam.FieldBoolean {
		f.Values = []string{boolean(f.Values)}
	}
	return f
}

// fieldType parses the type of a field.
func fieldType(raw string) pam.FieldType {
	switch t := pam.FieldType(raw); t {
	case pam.FieldBoolean, pam.FieldTextMulti, pam.FieldTextPrivate, pam.FieldList, pam.FieldListMulti,
		pam.FieldJID, pam.FieldJIDMulti, pam.FieldHidden:
		return pam.FieldType(strings.Clone(raw))
	}
	return pam.FieldText
}

// isMulti reports whether a field may have several values (XEP-0004 §3.2).
func isMulti(t pam.FieldType) bool {
	return strings.HasSuffix(string(t), "-multi") || t == pam.FieldHidden
}

// boolean returns the value of a boolean, which is false by default (XEP-0004 §3.3).
func boolean(values []string) string {
	if len(values) > 0 && isTrue(values[0]) {
		return "true"
	}
	return "false"
}

// SubmitForm returns a form of type submit (XEP-0004 §3.1) with the FORM_TYPE formType,
// unless form has one itself.
func SubmitForm(formType string, form pam.Form) *element.Element {
	x := element.New(ns.DataForms, "x").Set("type", "submit")
	if form.Field(formTypeField) == nil {
		form = append(pam.Form{{Name: formTypeField, Type: pam.FieldHidden, Values: []string{formType}}}, form...)
	}
	for _, f := range form {
		e := element.New(ns.DataForms, "field").Set("var", f.Name)
		if f.Name == formTypeField {
			e.Set("type", "hidden")
		}
		for _, v := range f.Values {
			e.Add(textElement(ns.DataForms, "value", v))
		}
		x.Add(e)
	}
	return x
}

// shorten returns text with at most most bytes. It copies it, so that it does not keep the
// whole message in memory.
func shorten(text string, most int) string {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most-len("…")], "") + "…"
	}
	return strings.Clone(text)
}
