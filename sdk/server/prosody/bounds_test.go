package prosody

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const stanzaError = "<error type='cancel'><%s xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>%s</error>"

// TestLengths checks that values within the limits are stored, and longer ones are not.
func TestLengths(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	long := strings.Repeat("n", 1024)
	service.subscribed(a, long)
	const refused = "error modify policy-violation by=alice@localhost"
	expect(t, a.subscribe(service.jid, long+"n"), refused)
	expect(t, a.unsubscribe(service.jid, long+"n"), refused)
	expect(t, a.subscribe(strings.Repeat("s", 1000)+"@localhost/"+strings.Repeat("r", 100), "x"), refused)
	expect(t, a.sendIQ("set", strings.Replace(pam(service.jid, "unsubscribe", "x", "alice@localhost"), "/></pam>", " subid='"+long+"n'/></pam>", 1)), refused)
	// The service has subscribed the account: mod_pam records the row without its subid.
	id := a.begin(pam(service.jid, "subscribe", "x", "alice@localhost"))
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='whatever' subid='"+long+"s'"))
	expect(t, a.answer(id), "notify "+service.jid+" x subscribed", "result 0")
}

// TestSubscriptionLimit checks how many subscriptions an account may have, pending requests included.
func TestSubscriptionLimit(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.restart(t, "pam_max_subscriptions = 3")
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	const full = "error wait resource-constraint by=alice@localhost"
	service.subscribed(a, "x", "y")
	id := a.begin(pam(service.jid, "subscribe", "z", "alice@localhost"))
	iq := service.request("subscribe", "z")
	expect(t, a.subscribe(service.jid, "too-many"), full)
	service.reply(iq, "result", "")
	expect(t, a.answer(id), "notify "+service.jid+" z subscribed", "result 0")
	received := a.subscribe(service.jid, "too-many")
	expect(t, received, full)
	if text := received[0].at("error", "text").Text; !strings.Contains(text, "3") {
		t.Errorf("text %q", text)
	}
	id = a.begin(pam(service.jid, "unsubscribe", "y", "alice@localhost"))
	service.reply(service.request("unsubscribe", "y"), "result", "")
	expect(t, a.answer(id), "notify "+service.jid+" y none", "result 0")
	service.subscribed(a, "now")
}

// TestListsOfAnAccount checks that an account that keeps requesting its long list is refused, and that other
// accounts, and requests of this account with a known version, are not.
func TestListsOfAnAccount(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	s.stop()
	write(t, s.snapshot(), rows(900, svc))
	module := filepath.Join(s.dir, "modules", "mod_pam", "mod_pam.lua")
	source := content(module)
	if !strings.Contains(source, "= 50000, 2000;") {
		t.Fatal("mod_pam has no such limit")
	}
	write(t, module, strings.Replace(source, "= 50000, 2000;", "= 5000, 1;", 1))
	s.resume(t)
	a, b := online(t, s, "alice", "a"), online(t, s, "bob", "b")
	given := 0
	for range 10 {
		received := a.list("")
		if n := received[0]; n.at("subscriptions").XMLName.Local != "" {
			given++
		} else if n.String() != "error wait resource-constraint by=alice@localhost" {
			t.Fatal(n)
		}
	}
	if given != 5 {
		t.Errorf("%d of 10 lists were given, want 5", given)
	}
	expect(t, a.list("900-stored"), "result 0")
	expect(t, b.list(""), "list")
}

// TestRequestsOfAnAccount checks that the requests of one account are limited, and that they do not affect
// those of another account.
func TestRequestsOfAnAccount(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice", "bob": "pw-bob", "carol": "pw-carol"}})
	s.restart(t, "pam_request_timeout = 10")
	a, c, service := online(t, s, "alice", "a"), online(t, s, "carol", "c"), scripted(t, s)
	c.list("")
	mine := c.begin(pam(service.jid, "subscribe", "mine", "carol@localhost"))
	carols := service.until("iq")
	for i := range 250 {
		a.begin(pam(service.jid, "subscribe", fmt.Sprint("n", i), "alice@localhost"))
	}
	refused := 0
	for range 50 {
		if n := a.until("iq"); n.String() == "error wait resource-constraint by=alice@localhost" {
			refused++
		}
	}
	if refused != 50 {
		t.Errorf("%d of 250 refused, want 50", refused)
	}
	expect(t, c.drain())
	service.reply(carols, "result", "")
	expect(t, c.answer(mine), "notify "+service.jid+" mine subscribed", "result 0")
	// After the timeout mod_pam has answered them and accepts new ones; late answers to the newest still count.
	for range 200 {
		if n := a.until("iq"); n.String() != "error wait remote-server-timeout by="+service.jid {
			t.Fatal(n)
		}
	}
	late := service.request("subscribe", "n0")
	id := a.begin(pam(service.jid, "subscribe", "more", "alice@localhost"))
	for i := 1; i < 200; i++ {
		service.request("subscribe", fmt.Sprint("n", i))
	}
	service.reply(service.request("subscribe", "more"), "result", "")
	expect(t, a.answer(id), "result 0")
	service.reply(late, "result", "")
	service.drain()
	expect(t, a.list(""), "list; "+service.jid+" more subscribed; "+service.jid+" n0 subscribed")
}

// TestArchive checks that events of all types except error are archived, the first one included, and that
// the account announces this.
func TestArchive(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	item := func(kind, id string) {
		service.send("<message xmlns='jabber:client'" + kind + " to='alice@localhost'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='x'><item id='" + id + "'/></items></event></message>")
	}
	item(" type='headline'", "stranger")
	service.drain()
	id := a.begin(pam(service.jid, "subscribe", "x", "alice@localhost"))
	iq := service.request("subscribe", "x")
	item("", "before-the-answer")
	service.drain()
	service.reply(iq, "result", "")
	a.answer(id)
	item(" type='normal'", "normal")
	item(" type='headline'", "headline")
	item(" type='chat'", "chat")
	item("", "no-type")
	item(" type='error'", "error")
	service.event("<subscription node='x' jid='alice@localhost' subscription='subscribed'/>")
	service.drain()
	for _, n := range a.drain() {
		if id := n.at("event", "items", "item").attr("id"); id != "" && id != "error" && n.at("stanza-id").attr("by") != "alice@localhost" {
			t.Errorf("event %q has no stanza-id", id)
		}
	}
	archived := a.sendIQ("set", "<query xmlns='urn:xmpp:mam:2'/>")
	var ids []string
	for _, n := range archived[:len(archived)-1] {
		ids = append(ids, n.at("result", "forwarded", "message", "event", "items", "item").attr("id"))
	}
	if got := strings.Join(ids, " "); got != "before-the-answer normal headline chat no-type" {
		t.Errorf("archived: %s", got)
	}

	announced := func(d *device) bool {
		answer := d.sendIQTo("alice@localhost", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
		for _, feature := range answer[len(answer)-1].at("query").Children {
			if feature.attr("var") == "urn:xmpp-pam:archives-all-events:0" {
				return true
			}
		}
		return false
	}
	if !announced(a) {
		t.Error("not announced")
	}
	a.leave()
	service.leave()
	s.restartWith(t, `"mam"; `, "")
	if announced(online(t, s, "alice", "a")) {
		t.Error("announced without an archive")
	}
}

// TestREADMEInstallation installs the module as README.md says, with the configuration given there.
func TestREADMEInstallation(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, found := strings.Cut(string(readme), "```lua\n")
	config, _, ended := strings.Cut(config, "```")
	if !found || !ended {
		t.Fatal("README.md has no configuration")
	}
	s := start(t, Config{Hash: "SHA-1", Accounts: accounts, Nodes: []string{"n1"}})
	s.stop()
	own := content(filepath.Join(s.dir, "prosody.cfg.lua"))
	// Ports, folders and the control module of the tests are not part of README.md's configuration.
	place, _, _ := strings.Cut(own, "-- One port of this machine only")
	control := own[strings.Index(own, "\tmodules_enabled = { \"pam_control\" }"):strings.Index(own, "\tautocreate_on_publish")]
	config = strings.NewReplacer("example.com", "localhost", "/usr/local/lib/prosody/modules", filepath.Join(s.dir, "modules"),
		"{ 5280 }", fmt.Sprintf("{ %d }", s.port)).Replace(config)
	component := "Component \"pubsub.localhost\" \"pubsub\"\n"
	if !strings.Contains(config, component) {
		t.Fatal("README.md has no publish-subscribe service")
	}
	config = strings.Replace(config, component, component+control, 1)
	write(t, filepath.Join(s.dir, "prosody.cfg.lua"), place+"allow_unencrypted_plain_auth = true\ns2s_ports = {}\n"+config)
	s.resume(t)
	a := online(t, s, "alice", "a")
	a.list("")
	expect(t, a.subscribe(svc, "n1"), "notify pubsub.localhost n1 subscribed", "result 0")
}
