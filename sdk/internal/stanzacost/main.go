//go:build unix

// Command stanzacost reads stanzas from standard input, separated by U+0000, of which
// each second one is twice the size of that before it. For such a pair it prints
// how many milliseconds of the processor it takes to read and check each, as an
// array of [one, other] for each turn. Its arguments are how many turns to take,
// and how many stanzas of the one and of the other size are in a turn.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mellium.im/xmpp/jid"

	"xmpp-pam/sdk/client"
	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/listsync"
)

func main() {
	runtime.GOMAXPROCS(1)       // else the garbage collector takes what is idle
	list := make([]byte, 8<<20) // what a client holds makes the collector run as often for either size
	defer runtime.KeepAlive(list)
	var numbers []int
	for _, arg := range os.Args[1:] {
		n, err := strconv.Atoi(arg)
		check(err)
		numbers = append(numbers, n)
	}
	turns, counts := numbers[0], numbers[1:]
	input, err := io.ReadAll(os.Stdin)
	check(err)
	reader := listsync.NewReader(jid.MustParse("alice@localhost"))
	for pair := range slices.Chunk(strings.Split(string(input), "\x00"), len(counts)) {
		times := make([][]float64, turns)
		for turn := range times {
			for i, text := range pair {
				before := processorTime()
				for range counts[i] {
					if e, err := element.Parse(text, nil); err == nil && !e.ContainsStreamElements() {
						_, _ = reader.ParseNotify(e)
						_, _ = e.XML(client.MaxText)
					}
				}
				took := processorTime() - before
				times[turn] = append(times[turn], float64(took)/float64(counts[i])/float64(time.Millisecond))
			}
		}
		check(json.NewEncoder(os.Stdout).Encode(times))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
