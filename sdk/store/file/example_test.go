package file_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"xmpp-pam/sdk/store"
	"xmpp-pam/sdk/store/file"
)

// Keep a record for an account, and read it in the next run of the program. A program
// that uses package client passes the Store in client.Options instead.
func Example() {
	dir, err := os.MkdirTemp("", "example") // a real program uses a directory that stays
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()

	s, err := file.Open(dir, "alice@example.org")
	if err != nil {
		log.Fatal(err)
	}
	if err := s.Commit(ctx, []store.Record{{Key: "colour"}}, []store.Op{store.Put("colour", []byte("green"))}); err != nil {
		log.Fatal(err)
	}
	_ = s.Close()

	next, err := file.Open(dir, "alice@example.org")
	if err != nil {
		log.Fatal(err)
	}
	defer next.Close()
	values, err := next.Get(ctx, "colour")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", values[0])
	// Output:
	// green
}
