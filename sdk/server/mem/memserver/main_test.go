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
