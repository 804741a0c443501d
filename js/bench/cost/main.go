//go:build unix

// Command cost reads stanzas from standard input, separated by U+0000, and prints
// for each how many milliseconds it takes to read and check it: the fastest of as
// many turns as the argument says.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/element"
	"xmpp-pam/sdk/pam"
)

func main() {
	turns, _ := strconv.Atoi(os.Args[1])
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	reader := pam.NewReader(jid.MustParse("alice@localhost"))
	for _, text := range strings.Split(string(input), "\x00") {
		best := time.Hour
		for range turns {
			before := processorTime()
			const runs = 4
			for range runs {
				if e, err := element.Parse(text, nil); err == nil && !e.Tainted() {
					_, _ = reader.ParseNotify(e)
					_, _ = e.XML(client.MaxText)
				}
			}
			best = min(best, (processorTime()-before)/runs)
		}
		fmt.Println(float64(best) / float64(time.Millisecond))
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
