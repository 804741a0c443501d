package pam

// A Form is a data form (XEP-0004), such as the options of a subscription or the
// configuration of a node: fields in the order in which to show them.
type Form []FormField

// A FormField is one field of a Form. In a form that is submitted, only Name and Values
// count.
type FormField struct {
	Name        string
	Type        FieldType
	Label       string // to show instead of Name, in a language that the service chose; often empty
	Description string // more about the field; often empty
	Required    bool
	Choices     []Choice // of a list; if there are none, any value is allowed
	// Values holds one value, or any number for the types that end in "multi". That of
	// a boolean is "true" or "false". Each value of FieldTextMulti is one line.
	Values []string
}

// A FieldType is the type of a field (XEP-0004 §3.3).
type FieldType string

// The types of fields.
const (
	FieldBoolean     FieldType = "boolean"
	FieldText        FieldType = "text-single"
	FieldTextMulti   FieldType = "text-multi"
	FieldTextPrivate FieldType = "text-private" // text to hide on the screen
	FieldList        FieldType = "list-single"
	FieldListMulti   FieldType = "list-multi"
	FieldJID         FieldType = "jid-single"
	FieldJIDMulti    FieldType = "jid-multi"
	FieldHidden      FieldType = "hidden" // not to be shown or changed
)

// A Choice is one of the values of a list.
type Choice struct {
	Value string
	Label string // to show instead of Value; often empty
}

// A FormError means that a field does not have a value that the form allows.
type FormError struct {
	Field string // its name
	Text  string // in English, what is wrong and what to do about it
}

func (e *FormError) Error() string { return "form field " + e.Field + ": " + e.Text }

// Field returns the field with the given name, or nil.
func (f Form) Field(name string) *FormField {
	for i := range f {
		if f[i].Name == name {
			return &f[i]
		}
	}
	return nil
}

// Value returns the first value of the field with the given name, or "".
func (f Form) Value(name string) string {
	if field := f.Field(name); field != nil && len(field.Values) > 0 {
		return field.Values[0]
	}
	return ""
}
