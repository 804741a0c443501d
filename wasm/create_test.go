//go:build js && wasm

package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hack-pad/safejs"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/pam"
	"xmpp-pam/wasm/idb"
)

// TestOptionsArePassed gives every option a value that differs from the default. It lists
// the options without a counterpart in JavaScript.
func TestOptionsArePassed(t *testing.T) {
	p := newPeer(t)
	list := func(items ...any) safejs.Value {
		v, err := safejs.ValueOf(items)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	got := p.clientOptions(readRequest(object(t, map[string]any{
		"account": "alice@localhost", "url": "wss://localhost/", "followTo": list("a", "b"), "mechanisms": list("PLAIN"), "tab": "t", "resume": "r",
		"interests": list([]any{"s", "n", "*", "p"}),
		"inspector": true, "baseMs": 1, "maxMs": 2, "noJitter": true, "maxAttempts": 3, "reconnectOff": true,
	})))
	want := client.Options{
		Account: "alice@localhost", URL: "wss://localhost/", FollowTo: []string{"a", "b"}, Mechanisms: []string{"PLAIN"}, Tab: "t", Resume: "r",
		Interests: []pam.Interest{{Service: "s", Node: "n", Prefix: true, Payload: "p"}},
		Reconnect: &client.Reconnect{Base: time.Millisecond, Max: 2 * time.Millisecond, NoJitter: true, MaxAttempts: 3, Off: true},
	}
	for name, value := range fields(*got) {
		switch name {
		case "Resource", "Software", "Derive", "Store": // create sets the last, the others have no option
			continue
		case "Fetcher", "Dialer":
			if value.IsZero() {
				t.Errorf("%s is not set", name)
			}
		case "Credentials", "OnEvent", "OnFrame":
			if value.IsNil() {
				t.Errorf("%s is not set", name)
			}
		case "Reconnect":
			for name, value := range fields(*got.Reconnect) {
				if value.IsZero() {
					t.Errorf("Reconnect.%s is not passed", name)
				}
			}
			fallthrough
		default:
			if w := reflect.ValueOf(want).FieldByName(name); w.IsZero() || !reflect.DeepEqual(value.Interface(), w.Interface()) {
				t.Errorf("%s is %v, want %v", name, value, w)
			}
		}
	}
}

// fields returns the fields of a struct by name.
func fields(s any) map[string]reflect.Value {
	v, out := reflect.ValueOf(s), map[string]reflect.Value{}
	for i := range v.NumField() {
		out[v.Type().Field(i).Name] = v.Field(i)
	}
	return out
}

func TestDatabaseName(t *testing.T) {
	const alice = "xmpp-pam:alice@localhost"
	for account, want := range map[string]bool{
		"alice@localhost": true, "Alice@Localhost": true, "ALICE@LOCALHOST": true, "alice@localhost/phone": true,
		"bob@localhost": false, "alice@example.org": false, "localhost": false,
	} {
		if name, err := databaseName(account); err != nil || (name == alice) != want {
			t.Errorf("%s: %s, %v; the same as alice@localhost: %v, want %v", account, name, err, name == alice, want)
		}
	}
	if name, err := databaseName("@"); err == nil {
		t.Errorf("@ has the database %s", name)
	}
}

// TestSpellings creates clients for different spellings of accounts. Two of them must
// share the channel between tabs exactly if they share the database.
func TestSpellings(t *testing.T) {
	accounts := []string{"alice@localhost", "alicé@bücher.example", "ålice@localhost", "bob@localhost", "alice@127.0.0.1", "strasse@straße.example"}
	channels := map[string]string{} // the answers of create, by database
	accepted := 0
	for _, account := range accounts {
		decomposed := strings.NewReplacer("é", "e\u0301", "ü", "u\u0308", "å", "a\u030a").Replace(account)
		for _, spelling := range []string{account, strings.ToUpper(account), strings.ToUpper(account[:1]) + account[1:], decomposed, strings.ToUpper(decomposed), account + "."} {
			p := newPeer(t)
			request := maps.Clone(alice)
			request["account"] = spelling
			p.ask(request)
			answer := p.want(`"id":1`)
			if strings.Contains(answer, `"code":"bad-jid"`) {
				continue
			}
			accepted++
			database, err := databaseName(spelling)
			if err != nil {
				t.Fatalf("%q: %v", spelling, err)
			}
			if want, known := channels[database]; known && answer != want {
				t.Errorf("%q: %s, and another spelling has %s", spelling, answer, want)
			}
			channels[database] = answer
		}
	}
	databases := map[string]string{}
	for database, channel := range channels {
		if other := databases[channel]; other != "" {
			t.Errorf("%s belongs to two databases, %s and %s", channel, database, other)
		}
		databases[channel] = database
	}
	if len(databases) != len(accounts) || accepted < 4*len(accounts) {
		t.Errorf("%d accounts have %d channels, %d spellings were accepted: %q", len(accounts), len(databases), accepted, slices.Collect(maps.Keys(databases)))
	}
}

// TestDeniedStorage checks that a database that cannot be opened causes a warning, unless
// the client itself is rejected.
func TestDeniedStorage(t *testing.T) {
	request := maps.Clone(alice)
	request["storage"], request["tab"] = "indexeddb", "t"

	p := newPeer(t)
	p.ask(request) // this host has no openDatabase
	p.want(`"event":"warning"`, `"code":"storage"`, `"origin":"storage"`, "kept in memory")
	p.want(`"why":"`)
	p.quiet()

	for account, code := range map[string]string{"@": "bad-jid", "alice@localhost/phone": "bad-jid"} {
		p := newPeer(t)
		request["account"] = account
		p.ask(request)
		p.want(`"id":1`, `"code":"`+code+`"`)
		p.quiet()
	}
}

// TestDatabaseOfRejectedClient checks that a database opened for a client that is
// rejected is closed.
func TestDatabaseOfRejectedClient(t *testing.T) {
	p := newPeer(t)
	d := fakeDatabase(p)
	request := maps.Clone(alice)
	request["storage"], request["account"], request["url"] = "indexeddb", "Alice@Localhost", "http://localhost/"
	p.ask(request)
	p.want(`"id":1`, `"code":"bad-options"`)
	select {
	case <-d.closed:
	case <-time.After(time.Second):
		t.Error("the database is open")
	}
	if want, _ := databaseName("alice@localhost"); <-d.opened != want {
		t.Errorf("opened another database than %s", want)
	}
}

// A database fails every operation.
type database struct {
	opened, deleted chan string // names
	closed          chan struct{}
	deleteError     string
}

func fakeDatabase(p *peer) *database {
	p.t.Helper()
	d := &database{make(chan string, 9), make(chan string, 9), make(chan struct{}, 9), ""}
	answer := func(done safejs.Value, args ...any) {
		if _, err := done.Invoke(args...); err != nil {
			p.t.Error(err)
		}
	}
	handle := object(p.t, nil)
	function := func(f func(args []safejs.Value)) safejs.Value {
		fn, err := safejs.FuncOf(func(_ safejs.Value, args []safejs.Value) any {
			f(args)
			return handle
		})
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(fn.Release)
		return fn.Value()
	}
	fails := function(func(args []safejs.Value) { answer(args[len(args)-1], "NotFoundError", "") })
	db := object(p.t, map[string]any{
		"absent": false, "get": fails, "scan": fails, "commit": fails,
		"close": function(func([]safejs.Value) { d.closed <- struct{}{} }),
	})
	name := func(v safejs.Value) string {
		s, _ := v.String()
		return s
	}
	for key, f := range map[string]func(args []safejs.Value){
		"openDatabase":   func(args []safejs.Value) { d.opened <- name(args[0]); answer(args[4], "", "", db) },
		"deleteDatabase": func(args []safejs.Value) { d.deleted <- name(args[0]); answer(args[2], d.deleteError, "") },
	} {
		if err := p.host.Set(key, function(f)); err != nil {
			p.t.Fatal(err)
		}
	}
	return d
}

func TestStoreProblems(t *testing.T) {
	for op, want := range map[string]string{"connection": `"code":"storage-lost"`, "delete": `"code":"storage"`} {
		p := newPeer(t)
		p.onStoreProblem(&idb.Error{Name: "SomeError", Op: op})
		p.want(`"event":"warning"`, want, `"origin":"storage"`, "SomeError")
		p.quiet()
	}
}
