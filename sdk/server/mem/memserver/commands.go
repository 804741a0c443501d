package main

import (
	"fmt"
	"strings"
	"time"

	"xmpp-pam/sdk/server/mem"
	"xmpp-pam/sdk/server/sample"
)

// execute executes one line of standard input.
func execute(server *mem.Server, line string) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 2 || words[1] == "" {
		return unknown(line)
	}
	service, node := place(words[1])
	rest := strings.Join(words[2:], "")
	switch words[0] {
	case "publish":
		if rest == "" {
			return unknown(line)
		}
		if service != "" {
			_ = server.CreateNodeAt(service, node, nil) // it exists already, or PublishAt says what is wrong
		}
		return server.PublishAt(service, node, "", sample.Titled(rest, time.Now()))
	case "retract":
		if rest == "" {
			items, err := server.Items(service, node)
			if err != nil || len(items) == 0 {
				return fmt.Errorf("the node %q has no item to retract", words[1])
			}
			rest = items[len(items)-1]
		}
		return server.Retract(service, node, rest)
	case "delete":
		return server.DeleteNode(service, node, rest)
	}
	return unknown(line)
}

func unknown(line string) error {
	return fmt.Errorf("the line %q is unknown; write: publish NODE TITLE, retract NODE [ITEM] or delete NODE [URI]", line)
}

// place separates the account from the node in ACCOUNT/NODE. A name of a node at the
// pubsub service may contain a slash, too, but what is before it is then no account.
func place(name string) (service, node string) {
	if account, rest, ok := strings.Cut(name, "/"); ok && rest != "" && strings.Contains(account, "@") {
		return account, rest
	}
	return "", name
}
