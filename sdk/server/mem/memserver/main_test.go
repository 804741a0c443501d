package main

import (
	"testing"

	"xmpp-pam/sdk/server/mem"
)

func TestPublish(t *testing.T) {
	server, err := mem.New(mem.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := server.CreateNode("news", ""); err != nil {
		t.Fatal(err)
	}
	for line, works := range map[string]bool{
		"publish news Hello":                  true,
		"publish news a < b & ]]> \"c\" \x01": true,
		"publish news":                        false,
		"publish other Hello":                 false,
		"retract news Hello":                  false,
		"":                                    false,
	} {
		if err := publish(server, line); (err == nil) != works {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestSplitNode(t *testing.T) {
	for text, want := range map[string][2]string{
		"news":                          {"news", ""},
		"news:whitelist":                {"news", "whitelist"},
		"urn:xmpp:microblog:0":          {"urn:xmpp:microblog:0", ""},
		"urn:xmpp:microblog:0:presence": {"urn:xmpp:microblog:0", "presence"},
		"n:open":                        {"n", "open"},
		":open":                         {":open", ""},
		"news:authorize:other":          {"news:authorize:other", ""},
	} {
		if name, access := splitNode(text); name != want[0] || access != want[1] {
			t.Errorf("%s: got %q, %q", text, name, access)
		}
	}
}
