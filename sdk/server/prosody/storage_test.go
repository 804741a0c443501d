package prosody

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stored is a file of alice's account in the server's storage.
func (s *Server) stored(store, extension string) string {
	return filepath.Join(s.dir, "data", "localhost", store, "alice."+extension)
}

func (s *Server) snapshot() string { return s.stored("pam", "dat") }

func (s *Server) changes() string { return s.stored("pam_changes", "list") }

// content returns the content of a file, or nothing if it does not exist.
func content(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// rows writes a snapshot of n rows of a service, node0 and so on, in the format that mod_pam stores.
func rows(n int, service string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "return { format = 2, version = %d, floor = %d, tokens = { \"stored\" }, rows = {\n", n, n)
	for i := range n {
		fmt.Fprintf(&b, "{ service = %q, node = \"node%d\", state = \"subscribed\", version = %d },\n", service, i, i+1)
	}
	b.WriteString("} };\n")
	return b.String()
}

// TestHistory checks what a restarted server still has, and that a client with a version older than the
// history gets a full list, never a wrong delta.
func TestHistory(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2", "n3"}})
	a := online(t, s, "alice", "a")
	start := version(t, a.list(""))
	a.subscribe(svc, "n1")
	one := version(t, a.subscribe(svc, "n2"))
	two := version(t, a.unsubscribe(svc, "n1"))
	a.leave()

	s.restart(t, "pam_history_size = 10")
	a = online(t, s, "alice", "a")
	expect(t, a.list(two), "result 0")
	expect(t, a.list(one), "notify pubsub.localhost n1 none", "result 0")
	expect(t, a.list(start), "notify pubsub.localhost n2 subscribed", "notify pubsub.localhost n1 none", "result 0")
	var versions []string
	for range 80 {
		versions = append(versions, version(t, a.subscribe(svc, "n3")), version(t, a.unsubscribe(svc, "n3")))
	}
	// n1 is no longer in the history: a client with a version before its end must get the full list.
	for _, ver := range []string{start, one, two} {
		expect(t, a.list(ver), "list; pubsub.localhost n2 subscribed")
	}
	if strings.Contains(content(s.snapshot()), `"n1"`) {
		t.Error("the end of n1 is stored for ever")
	}
	a.leave()
	s.restart(t, "")
	a = online(t, s, "alice", "a")
	for _, ver := range versions[len(versions)-10 : len(versions)-1] {
		expect(t, a.list(ver), "notify pubsub.localhost n3 none", "result 0")
	}
	expect(t, a.list(versions[len(versions)-1]), "result 0")
}

// TestEndOfHistory requests the list from each version around the oldest known one, at each time since the
// last snapshot: the delta from the oldest version must be complete.
func TestEndOfHistory(t *testing.T) {
	t.Parallel()
	var nodes []string
	for i := range 30 {
		nodes = append(nodes, fmt.Sprint("k", i))
	}
	s := start(t, Config{Accounts: accounts, Nodes: nodes})
	s.restart(t, "pam_history_size = 10")
	a := online(t, s, "alice", "a")
	list := rowsOf(nil, a.list(""))
	type known struct {
		version string
		list    map[string]string
	}
	var before []known
	snapshot, deltas := "", 0
	for i := range 320 {
		operation := a.subscribe
		if i%2 == 1 {
			operation = a.unsubscribe
		}
		received := operation(svc, nodes[i/2%30])
		list = rowsOf(list, received)
		before = append(before, known{version(t, received), maps.Clone(list)})
		text := content(s.snapshot())
		if text == snapshot || i < 14 {
			continue
		}
		snapshot = text
		for _, old := range before[len(before)-14:] {
			received := a.list(old.version)
			if received[len(received)-1].String() == "result 0" {
				deltas++
			}
			if got := rowsOf(maps.Clone(old.list), received); !maps.Equal(got, list) {
				t.Errorf("change %d: from version %s the delta makes %v, the list is %v", i, old.version, got, list)
			}
		}
	}
	if deltas < 22 {
		t.Errorf("%d deltas, want 11 for each time", deltas)
	}
}

// TestRowsOfOneChange checks that a change writes its own rows only, and that mod_pam writes a snapshot
// before the stored changes are larger than the list.
func TestRowsOfOneChange(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1"}})
	s.stop()
	write(t, s.snapshot(), rows(300, svc))
	s.resume(t)
	a := online(t, s, "alice", "a")
	a.list("")
	snapshot := content(s.snapshot())
	ver := "300-stored"
	for i := range 10 {
		before := len(content(s.changes()))
		received := a.subscribe(svc, "n1")
		expect(t, a.list(ver), "notify pubsub.localhost n1 subscribed", "result 0")
		ver = version(t, received)
		if grown := len(content(s.changes())) - before; grown > 1000 {
			t.Fatalf("change %d wrote %d bytes", i, grown)
		}
	}
	if content(s.snapshot()) != snapshot {
		t.Error("a change rewrote the list")
	}
	for range 300 {
		a.subscribe(svc, "n1")
	}
	if content(s.snapshot()) == snapshot {
		t.Error("the list was not put together in 310 changes")
	}
	if items := strings.Count(content(s.changes()), "item("); items > 100 {
		t.Errorf("%d changes are left after the snapshot was written", items)
	}
}

// TestCrash stops the server between the two steps of writing a snapshot, kills it while it writes changes,
// and removes a stored change. The list must always be the one that belongs to its version.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts, Nodes: []string{"n1", "n2"}})
	a := online(t, s, "alice", "a")
	a.list("")
	one := version(t, a.subscribe(svc, "n1"))
	var old string
	for len(content(s.changes())) >= len(old) {
		old = content(s.changes())
		a.subscribe(svc, "n2")
		a.unsubscribe(svc, "n2")
	}
	last := version(t, a.unsubscribe(svc, "n1"))
	a.leave()
	s.stop()
	left := content(s.changes())
	write(t, s.changes(), old+left) // they are in the snapshot too
	os.Remove(s.stored("pam_changes", "lidx"))
	s.resume(t)
	a = online(t, s, "alice", "a")
	expect(t, a.list(last), "result 0")
	expect(t, a.list(one), "notify pubsub.localhost n2 none", "notify pubsub.localhost n1 none", "result 0")

	// Killed while requests are pending: every version that a client has received is stored.
	for i := range 40 {
		a.begin(pam(svc, []string{"subscribe", "unsubscribe"}[i%2], "n1", "alice@localhost"))
	}
	sent := ""
	for range 10 {
		sent = version(t, []node{a.until("message")})
	}
	a.conn.CloseNow()
	s.child.process.Kill()
	<-s.child.done
	s.resume(t)
	a = online(t, s, "alice", "a")
	received := a.list(sent)
	if kind := received[len(received)-1].String(); kind != "result 0" {
		t.Errorf("a version that the server has sent is unknown after its restart: %s", kind)
	}
	full := a.list("")
	state := "list; pubsub.localhost n1 subscribed"
	if len(received) > 1 && strings.HasSuffix(received[0].String(), "none") {
		state = "list"
	}
	if len(received) > 1 {
		expect(t, full, state)
	}

	// A change is lost: no earlier version is known.
	a.subscribe(svc, "n1")
	a.subscribe(svc, "n1")
	last = version(t, a.subscribe(svc, "n2"))
	a.leave()
	s.stop()
	lines := strings.SplitAfter(content(s.changes()), "item(")
	write(t, s.changes(), strings.Join(append(lines[:len(lines)-2:len(lines)-2], lines[len(lines)-1]), ""))
	os.Remove(s.stored("pam_changes", "lidx"))
	s.resume(t)
	a = online(t, s, "alice", "a")
	expect(t, a.list(last), "list; pubsub.localhost n1 subscribed; pubsub.localhost n2 subscribed")
	fresh := version(t, a.list(""))
	one = version(t, a.unsubscribe(svc, "n2"))
	expect(t, a.list(fresh), "notify pubsub.localhost n2 none", "result 0")
	a.leave()
	s.restart(t, "")
	a = online(t, s, "alice", "a")
	expect(t, a.list(one), "result 0")
}

// TestListCache has three accounts change their lists in turns while the cache has space for fewer lists.
// Each list must keep its content, and the one in use must stay in the cache.
func TestListCache(t *testing.T) {
	t.Parallel()
	users := []string{"alice", "bob", "carol"}
	s := start(t, Config{Accounts: map[string]string{"alice": "pw-alice", "bob": "pw-bob", "carol": "pw-carol"}, Nodes: []string{"n1", "n2"}})
	s.stop()
	module := filepath.Join(s.dir, "modules", "mod_pam", "list.lib.lua")
	source := content(module)
	if !strings.Contains(source, "max_cached = 100000") {
		t.Fatal("mod_pam has no such limit")
	}
	write(t, module, strings.Replace(source, "max_cached = 100000", "max_cached = 25", 1))
	s.resume(t)
	var devices []*device
	var versions []string
	for _, user := range users {
		d := online(t, s, user, "d")
		versions = append(versions, version(t, d.list("")))
		devices = append(devices, d)
	}
	for round := range 8 {
		for i, d := range devices {
			operation, want := d.subscribe, "notify pubsub.localhost n1 subscribed"
			if round%2 == 1 {
				operation, want = d.unsubscribe, "notify pubsub.localhost n1 none"
			}
			received := operation(svc, "n1")
			expect(t, received, want, "result 0")
			expect(t, d.list(versions[i]), want, "result 0")
			versions[i] = version(t, received)
			expect(t, d.list(versions[i]), "result 0")
		}
	}
	// Two lists fit and stay in memory: changes of the files have no effect.
	for i, d := range devices[:2] {
		d.list(versions[i])
	}
	for _, user := range users[:2] {
		write(t, strings.Replace(s.snapshot(), "alice", user, 1), "return {")
	}
	for range 3 {
		for _, i := range []int{1, 0} {
			expect(t, devices[i].list(versions[i]), "result 0")
		}
	}
	expect(t, devices[2].list(versions[2]), "result 0") // replaces bob's, the least recently used
	expect(t, devices[0].list(versions[0]), "result 0")
	expect(t, devices[1].list(versions[1]), "error wait internal-server-error by=")
}
