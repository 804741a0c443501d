package pubsub

import (
	"fmt"
	"slices"
	"strings"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/pam"
)

// Fill returns the form to submit: the fields of offered, a form of the service, with the
// values of filled, which may lack fields. Fields without any value are left out, so that
// the service keeps what it has (XEP-0004 §3.5), unless filled clears them.
//
// It checks what the service would check (§4), in order to say more about it: that each
// field of filled is in offered, that required fields have a value, and that values are
// of the type and among the choices. The error is a *pam.FormError.
func Fill(offered, filled pam.Form) (pam.Form, error) {
	for _, f := range filled {
		if offered.Field(f.Name) == nil {
			return nil, &pam.FormError{Field: f.Name, Text: "The form has no such field. Leave it out."}
		}
	}
	var form pam.Form
	for _, f := range offered {
		given := filled.Field(f.Name)
		values := f.Values
		if given != nil {
			values = given.Values
		}
		if f.Type == pam.FieldHidden && !slices.Equal(values, f.Values) {
			return nil, &pam.FormError{Field: f.Name, Text: "The value of a hidden field cannot be changed. Leave the field out."}
		}
		checked, problem := checkValues(&f, values)
		if problem == "" && f.Required && strings.Join(checked, "") == "" {
			problem = "A value is required." + advice(&f)
		}
		if problem != "" {
			return nil, &pam.FormError{Field: f.Name, Text: problem}
		}
		if len(checked) > 0 || given != nil {
			form = append(form, pam.FormField{Name: f.Name, Type: f.Type, Values: checked})
		}
	}
	return form, nil
}

// checkValues returns the values in the form in which to submit them, or a sentence about
// the first that is not allowed.
func checkValues(f *pam.FormField, values []string) (checked []string, problem string) {
	if !isMulti(f.Type) && len(values) > 1 {
		return nil, "Only one value is allowed."
	}
	for _, v := range values {
		switch {
		case f.Type == pam.FieldHidden:
		case f.Type == pam.FieldTextMulti:
			checked = append(checked, strings.Split(strings.ReplaceAll(v, "\r\n", "\n"), "\n")...)
			continue
		case v == "" && f.Type != pam.FieldText && f.Type != pam.FieldTextPrivate && !hasChoice(f, ""):
			continue // no value
		case f.Type == pam.FieldBoolean:
			if !isTrue(v) && !isFalse(v) {
				return nil, quote(v) + " is not a value of a switch." + advice(f)
			}
			v = boolean([]string{v})
		case f.Type == pam.FieldList || f.Type == pam.FieldListMulti:
			if len(f.Choices) > 0 && !hasChoice(f, v) {
				return nil, quote(v) + " is not one of the choices." + advice(f)
			}
		case f.Type == pam.FieldJID || f.Type == pam.FieldJIDMulti:
			j, err := jid.Parse(strings.TrimSpace(v))
			if err != nil {
				return nil, quote(v) + " is not a JID." + advice(f)
			}
			v = j.String()
		case strings.ContainsAny(v, "\n\r"):
			return nil, "The text must be a single line. Take out the line breaks."
		}
		if !slices.Contains(checked, v) || f.Type == pam.FieldHidden {
			checked = append(checked, v)
		}
	}
	switch {
	case f.Type == pam.FieldBoolean && len(checked) == 0:
		checked = []string{boolean(nil)}
	case f.Type == pam.FieldListMulti && len(f.Choices) > 0:
		checked = inOrder(f.Choices, checked)
	}
	return checked, ""
}

// inOrder returns values in the order of the choices, which must not be changed (XEP-0004
// §3.3).
func inOrder(choices []pam.Choice, values []string) (ordered []string) {
	for _, c := range choices {
		if slices.Contains(values, c.Value) && !slices.Contains(ordered, c.Value) {
			ordered = append(ordered, c.Value)
		}
	}
	return ordered
}

func hasChoice(f *pam.FormField, value string) bool {
	return slices.ContainsFunc(f.Choices, func(c pam.Choice) bool { return c.Value == value })
}

// advice returns a sentence that says which values a field can have, after a space.
func advice(f *pam.FormField) string {
	switch f.Type {
	case pam.FieldBoolean:
		return " Use true or false."
	case pam.FieldJID, pam.FieldJIDMulti:
		return " Use an address such as romeo@example.org."
	case pam.FieldList, pam.FieldListMulti:
		const most = 10
		var names []string
		for i, c := range f.Choices {
			if i == most {
				names = append(names, fmt.Sprintf("one of %d more", len(f.Choices)-most))
				break
			}
			names = append(names, quote(c.Value))
		}
		if names != nil {
			return " Use " + strings.Join(names, ", ") + "."
		}
	}
	return ""
}

// quote quotes text for a sentence, shortened.
func quote(text string) string { return `"` + clip(text) + `"` }
