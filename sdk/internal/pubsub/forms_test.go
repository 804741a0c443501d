package pubsub

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"xmpp-pam/sdk/pam"
)

// offeredOptions is the form of XEP-0060 §6.3.3.
const offeredOptions = `<x xmlns='jabber:x:data' type='form'>
  <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#subscribe_options</value></field>
  <field var='pubsub#deliver' type='boolean' label='Enable delivery?'><value>1</value></field>
  <field var='pubsub#digest' type='boolean' label='Receive digest notifications (approx. one per day)?'><value>0</value></field>
  <field var='pubsub#include_body' type='boolean' label='Receive message body in addition to payload?'><value>false</value></field>
  <field var='pubsub#show-values' type='list-multi' label='Select the presence types'>
    <option label='Want to Chat'><value>chat</value></option><option label='Available'><value>online</value></option>
    <option label='Away'><value>away</value></option><option label='Extended Away'><value>xa</value></option><option label='Do Not Disturb'><value>dnd</value></option>
    <value>chat</value><value>online</value>
  </field>
</x>`

func TestParseForm(t *testing.T) {
	got, err := ParseForm(parse(t, offeredOptions))
	want := pam.Form{
		{Name: "FORM_TYPE", Type: "hidden", Values: []string{"http://jabber.org/protocol/pubsub#subscribe_options"}},
		{Name: "pubsub#deliver", Type: "boolean", Label: "Enable delivery?", Values: []string{"true"}},
		{Name: "pubsub#digest", Type: "boolean", Label: "Receive digest notifications (approx. one per day)?", Values: []string{"false"}},
		{Name: "pubsub#include_body", Type: "boolean", Label: "Receive message body in addition to payload?", Values: []string{"false"}},
		{Name: "pubsub#show-values", Type: "list-multi", Label: "Select the presence types",
			Choices: []pam.Choice{{Value: "chat", Label: "Want to Chat"}, {Value: "online", Label: "Available"}, {Value: "away", Label: "Away"}, {Value: "xa", Label: "Extended Away"}, {Value: "dnd", Label: "Do Not Disturb"}}, Values: []string{"chat", "online"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v", got, err)
	}

	// XEP-0004 §5.1, Example 2, shortened.
	got, err = ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'><title>Bot Configuration</title><instructions>Fill out this form!</instructions>
  <field type='hidden' var='FORM_TYPE'><value>jabber:bot</value></field>
  <field type='fixed'><value>Section 1: Bot Info</value></field>
  <field type='text-single' label='The name of your bot' var='botname'/>
  <field type='text-multi' label='Helpful description of your bot' var='description'><value>one</value><value>two</value></field>
  <field type='boolean' label='Public bot?' var='public'><required/></field>
  <field type='text-private' label='Password for special access' var='password'/>
  <field type='list-single' label='Maximum number of subscribers' var='maxsubs'><value>20</value><value>30</value><option label='10'><value>10</value></option><option><value>20</value></option></field>
  <field type='jid-multi' label='People to invite' var='invitelist'><desc> Tell all your friends! </desc></field>
  <field type='jid-single' var='owner'/><field type='colour' var='c'/><field var='d'><value>x</value></field><field var='d'><value>y</value></field>
  <field xmlns='urn:example' var='e'/></x>`))
	want = pam.Form{
		{Name: "FORM_TYPE", Type: "hidden", Values: []string{"jabber:bot"}},
		{Name: "botname", Type: "text-single", Label: "The name of your bot"},
		{Name: "description", Type: "text-multi", Label: "Helpful description of your bot", Values: []string{"one", "two"}},
		{Name: "public", Type: "boolean", Label: "Public bot?", Required: true, Values: []string{"false"}},
		{Name: "password", Type: "text-private", Label: "Password for special access"},
		{Name: "maxsubs", Type: "list-single", Label: "Maximum number of subscribers", Choices: []pam.Choice{{Value: "10", Label: "10"}, {Value: "20", Label: ""}}, Values: []string{"20"}},
		{Name: "invitelist", Type: "jid-multi", Label: "People to invite", Description: "Tell all your friends!"},
		{Name: "owner", Type: "jid-single"}, {Name: "c", Type: "text-single"}, {Name: "d", Type: "text-single", Values: []string{"x"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, error %v", got, err)
	}
	if form, err := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>a</value></field></x>`)); err != nil || form[0].Type != pam.FieldHidden {
		t.Errorf("got %v, error %v", form, err)
	}
	if form, err := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'><field var='h' type='hidden'><value>a</value><value>b</value></field></x>`)); err != nil || len(form[0].Values) != 2 {
		t.Errorf("got %v, error %v", form, err)
	}
	for _, bad := range []string{`<x/>`, `<y xmlns='jabber:x:data'/>`} {
		if _, err := ParseForm(parse(t, bad)); !errors.Is(err, ErrResult) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

func TestFormLimits(t *testing.T) {
	long := strings.Repeat("x", maxFieldValue+1)
	var fields strings.Builder
	for i := range maxFields + 1 {
		fmt.Fprintf(&fields, "<field var='%d'/>", i)
	}
	for _, tt := range []struct {
		name, xml string
		want      int // fields
		left      bool
	}{
		{"fields", fields.String(), maxFields, true},
		{"as many as allowed", strings.Replace(fields.String(), "<field var='0'/>", "", 1), maxFields, false},
		{"a long name", `<field var='` + strings.Repeat("x", maxID+1) + `'/><field var='a'/>`, 1, true},
		{"no name", `<field/><field var='a'/>`, 1, true},
		{"a long value", `<field var='a'><value>` + long + `</value></field>`, 1, true},
		{"values", `<field var='a' type='list-multi'>` + strings.Repeat(`<value>a</value>`, maxValues+1) + `</field>`, 1, true},
		{"a long choice", `<field var='a' type='list-multi'><option><value>` + long + `</value></option></field>`, 1, true},
		{"choices", `<field var='a' type='list-multi'>` + strings.Repeat(`<option><value>a</value></option>`, maxValues+1) + `</field>`, 1, true},
		{"the longest value", `<field var='a'><value>` + long[1:] + `</value></field>`, 1, false},
		{"the longest choice", `<field var='a' type='list-multi'><option><value>` + long[1:] + `</value></option></field>`, 1, false},
		{"a long label", `<field var='a' label='` + long[:maxLabel+1] + `'><desc>` + long + `</desc></field>`, 1, false},
	} {
		form, err := ParseForm(parse(t, `<x xmlns='jabber:x:data' type='form'>`+tt.xml+`</x>`))
		if len(form) != tt.want || errors.Is(err, ErrLeftOut) != tt.left {
			t.Errorf("%s: %d fields, error %v", tt.name, len(form), err)
		}
		if f := form[0]; len(f.Values) > maxValues || len(f.Choices) > maxValues || len(f.Label) > maxLabel || len(f.Description) > maxLabel || len(strings.Join(f.Values, "")) > maxFieldValue {
			t.Errorf("%s: a field is too large", tt.name)
		}
	}
}

func TestFill(t *testing.T) {
	offered := pam.Form{
		{Name: "FORM_TYPE", Type: "hidden", Values: []string{"t"}},
		{Name: "deliver", Type: "boolean", Values: []string{"true"}},
		{Name: "title", Type: "text-single", Values: []string{"Old"}},
		{Name: "note", Type: "text-multi"},
		{Name: "secret", Type: "text-private"},
		{Name: "depth", Type: "list-single", Required: true, Choices: []pam.Choice{{Value: "1"}, {Value: "all"}}},
		{Name: "show", Type: "list-multi", Choices: []pam.Choice{{Value: "chat"}, {Value: "online"}, {Value: "away"}}},
		{Name: "open", Type: "list-multi"},
		{Name: "reply", Type: "jid-single"},
		{Name: "friends", Type: "jid-multi"},
		{Name: "city", Type: "text-single", Choices: []pam.Choice{{Value: "Verona"}}},
		{Name: "twice", Type: "list-multi", Choices: []pam.Choice{{Value: "a"}, {Value: "b"}, {Value: "a"}}},
	}
	equal := pam.Form{{Name: "pair", Type: "hidden", Values: []string{"a", "a", "", "b\nc"}}} // must come back as it is
	if form, err := Fill(equal, nil); err != nil || !slices.Equal(form[0].Values, equal[0].Values) {
		t.Errorf("equal values of a hidden field: %v, error %v", form, err)
	}
	for _, tt := range []struct {
		name   string
		filled pam.Form
		want   string // "name=values" of what is submitted, or the field and a part of the text of the error
	}{
		{"what is required", config("depth", "all"), "FORM_TYPE=t deliver=true title=Old depth=all"},
		{"a boolean", append(config("deliver", "0"), config("depth", "1")...), "FORM_TYPE=t deliver=false title=Old depth=1"},
		{"a boolean without a value", append(config("deliver"), config("depth", "1")...), "FORM_TYPE=t deliver=false title=Old depth=1"},
		{"a field is cleared", append(config("title", ""), config("depth", "1")...), "FORM_TYPE=t deliver=true title= depth=1"},
		{"a field is unset", append(config("title"), config("depth", "1")...), "FORM_TYPE=t deliver=true title depth=1"},
		{"lines", append(config("note", "a\nb\r\nc", "a"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old note=a|b|c|a depth=1"},
		{"an empty password", append(config("secret", ""), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old secret= depth=1"},
		{"a text that is not among the proposed", append(config("city", "Rome"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 city=Rome"},
		{"a choice that is offered twice", append(config("twice", "a"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 twice=a"},
		{"choices in their order, each once", append(config("show", "away", "chat", "away"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 show=chat|away"},
		{"any values without choices", append(config("open", "b", "a", "b"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 open=b|a"},
		{"JIDs are normalised, each once", append(config("friends", "Romeo@Example.ORG", "romeo@example.org", " juliet@example.org/x"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 friends=romeo@example.org|juliet@example.org/x"},
		{"an empty JID is none", append(config("reply", ""), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1 reply"},
		{"the hidden field as it is", append(config("FORM_TYPE", "t"), config("depth", "1")...), "FORM_TYPE=t deliver=true title=Old depth=1"},

		{"nothing", nil, `depth: A value is required. Use "1", "all".`},
		{"empty", config("depth", ""), `depth: A value is required.`},
		{"no such field", config("colour", "red"), `colour: The form has no such field.`},
		{"no such choice", config("depth", "2"), `depth: "2" is not one of the choices. Use "1", "all".`},
		{"no such choices", append(config("show", "chat", "dnd"), config("depth", "1")...), `show: "dnd" is not one of the choices. Use "chat", "online", "away".`},
		{"two values", config("depth", "1", "all"), `depth: Only one value is allowed.`},
		{"not a boolean", config("deliver", "yes"), `deliver: "yes" is not a value of a switch. Use true or false.`},
		{"not a JID", append(config("reply", "a@b@c/@"), config("depth", "1")...), `reply: "a@b@c/@" is not a JID. Use an address such as`},
		{"not JIDs", append(config("friends", "romeo@example.org", "@"), config("depth", "1")...), `friends: "@" is not a JID.`},
		{"lines in a text", config("title", "a\nb"), `title: The text must be a single line.`},
		{"lines in a password", config("secret", "a\rb"), `secret: The text must be a single line.`},
		{"a hidden field changed", config("FORM_TYPE", "u"), `FORM_TYPE: The value of a hidden field cannot be changed.`},
	} {
		form, err := Fill(offered, tt.filled)
		var got []string
		for _, f := range form {
			if line := f.Name; f.Values == nil {
				got = append(got, line)
			} else {
				got = append(got, line+"="+strings.Join(f.Values, "|"))
			}
		}
		var problem *pam.FormError
		if errors.As(err, &problem) {
			got = []string{problem.Field + ": " + problem.Text}
		}
		if text := strings.Join(got, " "); text != tt.want && (problem == nil || !strings.HasPrefix(text, tt.want)) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, text, tt.want)
		}
	}
}

func TestFillMany(t *testing.T) {
	f := pam.FormField{Name: "a", Type: "list-single"}
	for i := range 13 {
		f.Choices = append(f.Choices, pam.Choice{Value: fmt.Sprint(i)})
	}
	_, err := Fill(pam.Form{f}, config("a", strings.Repeat("x", 1000)))
	if err == nil || !strings.HasSuffix(err.Error(), `"8", "9", one of 3 more.`) || len(err.Error()) > 400 {
		t.Errorf("error %v", err)
	}
	f.Choices = append(f.Choices, pam.Choice{})
	if form, err := Fill(pam.Form{f}, config("a", "")); err != nil || form.Value("a") != "" || len(form[0].Values) != 1 {
		t.Errorf("an empty choice: %v, error %v", form, err)
	}
}

// TestFillRequired checks that a field that must have a value does not get an empty text,
// whether the caller or the service has given it. A text of a field that need not have a
// value may be empty, and what is required may contain an empty line.
func TestFillRequired(t *testing.T) {
	for _, tt := range []struct {
		fieldType pam.FieldType
		values    []string
		refused   bool
	}{
		{pam.FieldText, []string{""}, true},
		{pam.FieldText, []string{}, true},
		{pam.FieldText, []string{"a"}, false},
		{pam.FieldTextPrivate, []string{""}, true},
		{pam.FieldTextPrivate, []string{"a"}, false},
		{pam.FieldTextMulti, []string{""}, true},
		{pam.FieldTextMulti, []string{"\n"}, true},
		{pam.FieldTextMulti, []string{"\r\n"}, true},
		{pam.FieldTextMulti, []string{"", ""}, true},
		{pam.FieldTextMulti, []string{"\na"}, false},
		{pam.FieldTextMulti, []string{"", "a"}, false},
		{pam.FieldList, []string{""}, true},
		{pam.FieldListMulti, []string{"", ""}, true},
		{pam.FieldJID, []string{""}, true},
		{pam.FieldJIDMulti, []string{""}, true},
		{pam.FieldBoolean, []string{""}, false}, // the same as false
	} {
		for _, required := range []bool{true, false} {
			for _, by := range []string{"caller", "service"} {
				field := pam.FormField{Name: "f", Type: tt.fieldType, Required: required, Values: tt.values}
				offered, filled := pam.Form{field}, pam.Form(nil)
				if by == "caller" {
					offered[0].Values, filled = nil, config("f", tt.values...)
				}
				_, err := Fill(offered, filled)
				var problem *pam.FormError
				if refused := errors.As(err, &problem) && strings.HasPrefix(problem.Text, "A value is required."); refused != (required && tt.refused) || err != nil && !refused {
					t.Errorf("%s %q of the %s, required %v: error %v", tt.fieldType, tt.values, by, required, err)
				}
				if problem != nil && strings.Contains(problem.Text, "Use .") {
					t.Errorf("%s: advice without a choice: %s", tt.fieldType, problem.Text)
				}
			}
		}
	}
}

// TestFilled checks that a form of the service that is submitted unchanged is accepted,
// and what it says when it is parsed again.
func TestFilled(t *testing.T) {
	offered, err := ParseForm(parse(t, offeredOptions))
	if err != nil {
		t.Fatal(err)
	}
	form, err := Fill(offered, offered)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseForm(SubmitForm("other", form))
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range again {
		if f.Name != offered[i].Name || !reflect.DeepEqual(f.Values, offered[i].Values) && f.Name != "pubsub#show-values" {
			t.Errorf("got %v, want %v", f, offered[i])
		}
	}
}
