package prosody

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRestoredBackup checks that a version token is never used twice: after a backup was restored, the same
// number of different changes must not get the tokens of the changes before.
func TestRestoredBackup(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2", "n3", "n4", "n5"}})
	a := online(t, s, "alice", "a")
	a.subscribe(svc, "n1")
	backup := version(t, a.list(""))
	a.leave()
	s.stop()
	data, copied := filepath.Join(s.dir, "data"), filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(copied, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	s.resume(t)
	a = online(t, s, "alice", "a")
	a.list("")
	lost := []string{version(t, a.subscribe(svc, "n2")), version(t, a.subscribe(svc, "n3"))}
	a.leave()
	s.stop()
	os.RemoveAll(data)
	if err := os.CopyFS(data, os.DirFS(copied)); err != nil {
		t.Fatal(err)
	}
	s.resume(t)
	a = online(t, s, "alice", "a")
	a.subscribe(svc, "n4")
	a.subscribe(svc, "n5")
	for _, ver := range lost {
		expect(t, a.list(ver), "list; pubsub.localhost n1 subscribed; pubsub.localhost n4 subscribed; pubsub.localhost n5 subscribed")
	}
	expect(t, a.list(backup), "notify pubsub.localhost n4 subscribed", "notify pubsub.localhost n5 subscribed", "result 0")
}

// TestFormats checks that mod_pam reads the previous format and does not overwrite a later one.
func TestFormats(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	s.stop()
	write(t, s.snapshot(), `return { epoch = "old"; version = 3; floor = 0; entries = {
		{ service = "pubsub.localhost"; node = "gone"; state = "none"; version = 2 };
		{ service = "pubsub.localhost"; node = "n2"; subid = "s"; state = "pending"; version = 3 };
	} };`)
	s.resume(t)
	a := online(t, s, "alice", "a")
	received := a.list("old-3")
	expect(t, received, "list; pubsub.localhost n2 pending s")
	old := version(t, received)
	a.subscribe(svc, "n1")
	expect(t, a.list(old), "notify pubsub.localhost n1 subscribed", "result 0")
	a.leave()
	s.restart(t, "")
	a = online(t, s, "alice", "a")
	expect(t, a.list(""), "list; pubsub.localhost n2 pending s; pubsub.localhost n1 subscribed")
	a.leave()
	s.stop()
	later := strings.Replace(rows(1, svc), "format = 2", "format = 3", 1)
	write(t, s.snapshot(), later)
	s.resume(t)
	a = online(t, s, "alice", "a")
	expect(t, a.list(""), "error wait internal-server-error by=")
	expect(t, a.subscribe(svc, "n1"), "error wait internal-server-error by=")
	if content(s.snapshot()) != later {
		t.Error("a format of later was overwritten")
	}
}

// TestStorageFailure checks that a request is answered even if the list cannot be read or written, and
// that mod_pam sends no notify of a change that is not stored.
func TestStorageFailure(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2"}})
	a := online(t, s, "alice", "a")
	a.list("")
	ver := version(t, a.subscribe(svc, "n1"))

	// A folder in the place of a file cannot be written.
	if err := os.MkdirAll(s.changes(), 0o700); err != nil {
		t.Fatal(err)
	}
	expect(t, a.subscribe(svc, "n2"), "error wait internal-server-error by=alice@localhost")
	if err := os.Remove(s.changes()); err != nil {
		t.Fatal(err)
	}
	expect(t, a.list(ver), "result 0")
	expect(t, a.list(""), "list; pubsub.localhost n1 subscribed")
	expect(t, a.subscribe(svc, "n2"), "notify pubsub.localhost n2 subscribed", "result 0")
	a.leave()

	s.stop()
	write(t, s.snapshot(), "return {")
	s.resume(t)
	a = online(t, s, "alice", "a")
	expect(t, a.list(""), "error wait internal-server-error by=")
	expect(t, a.subscribe(svc, "n1"), "error wait internal-server-error by=")
	expect(t, a.drain())
}

// TestAccountDeleted checks that nothing of a deleted account remains on this server or at the services, so
// that a new account of the same name starts with an empty list.
func TestAccountDeleted(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	a, service := online(t, s, "alice", "a"), scripted(t, s)
	a.list("")
	a.subscribe(svc, "n1")
	id := a.begin(pam(service.jid, "subscribe", "x", "alice@localhost"))
	service.reply(service.request("subscribe", "x"), "result", subscription("node='x' subscription='subscribed' subid='s1'"))
	a.answer(id)
	a.begin(pam(service.jid, "subscribe", "slow", "alice@localhost"))
	slow := service.request("subscribe", "slow")
	old := version(t, a.list(""))
	a.leave()
	if err := s.call(t.Context(), "delete_account", arguments{"localpart": "alice"}); err != nil {
		t.Fatal(err)
	}
	if subid := service.request("unsubscribe", "x").at("pubsub", "unsubscribe").attr("subid"); subid != "s1" {
		t.Errorf("unsubscribed with subid %q", subid)
	}
	service.request("unsubscribe", "slow")
	service.reply(slow, "result", "")
	service.drain()
	for _, file := range []string{s.snapshot(), s.changes()} {
		if text := content(file); text != "" {
			t.Errorf("%s is left: %s", file, text)
		}
	}

	if err := s.AddAccount("alice", "pw-alice"); err != nil {
		t.Fatal(err)
	}
	a = online(t, s, "alice", "a")
	expect(t, a.list(old), "list")
	if err := s.Publish("n1", "i1", "<x xmlns='urn:example'/>"); err != nil {
		t.Fatal(err)
	}
	expect(t, a.drain())
}
