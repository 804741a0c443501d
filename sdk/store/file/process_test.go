//go:build !js

package file

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"xmpp-pam/sdk/store"
)

func init() {
	roles["count"] = func(home string) error { return count(home, 100) }
	roles["count for ever"] = func(home string) error { return count(home, 1<<30) }
}

// count increments a number, and in the same commit notes its own name beside the number
// that it has made. It prints each number whose commit has succeeded.
func count(home string, times int) error {
	maxCommits = 3
	s, err := Open(home, name)
	if err != nil {
		return err
	}
	ctx := context.Background()
	for range times {
		for {
			values, err := s.Get(ctx, "n")
			if err != nil {
				return err
			}
			n, _ := strconv.Atoi(string(values[0]))
			next := strconv.Itoa(n + 1)
			own := store.Put("by/"+next, []byte(random()))
			err = s.Commit(ctx, []store.Record{{Key: "n", Value: values[0]}}, []store.Op{store.Put("n", []byte(next)), own})
			if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeOutcomeUnknown {
				made, err := s.Get(ctx, own.Key)
				if err != nil {
					return err
				}
				if string(made[0]) != string(own.Value) {
					continue
				}
			} else if errors.Is(err, store.ErrConflict) {
				continue
			} else if err != nil {
				return err
			}
			fmt.Println(next, string(own.Value))
			break
		}
	}
	return nil
}

// process starts this program in a role.
func process(t *testing.T, role, home string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FILE_TEST_ROLE="+role, "FILE_TEST_HOME="+home)
	cmd.Stderr = os.Stderr
	return cmd
}

// TestProcesses has several processes increment a number at the same time.
func TestProcesses(t *testing.T) {
	home := t.TempDir()
	running := map[*exec.Cmd]*strings.Builder{}
	for range 4 {
		cmd := process(t, "count", home)
		out := &strings.Builder{}
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running[cmd] = out
	}
	var lines []string
	for cmd, out := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		lines = append(lines, strings.Fields(strings.ReplaceAll(out.String(), " ", "="))...)
	}
	wantCounted(t, home, lines)
	if len(lines) != 400 {
		t.Errorf("%d commits, want 400", len(lines))
	}
}

// TestKilledProcesses kills processes while they commit.
func TestKilledProcesses(t *testing.T) {
	home := t.TempDir()
	var lines []string
	for range 15 {
		var outs []*bufio.Scanner
		var running []*exec.Cmd
		for range 2 {
			cmd := process(t, "count for ever", home)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			outs, running = append(outs, bufio.NewScanner(out)), append(running, cmd)
		}
		for _, out := range outs { // until both have started
			if out.Scan() {
				lines = append(lines, strings.ReplaceAll(out.Text(), " ", "="))
			}
		}
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		for i, cmd := range running {
			_ = cmd.Process.Kill()
			for outs[i].Scan() {
				if line := outs[i].Text(); strings.Contains(line, " ") && len(line) > 33 {
					lines = append(lines, strings.ReplaceAll(line, " ", "="))
				}
			}
			_ = cmd.Wait()
		}
	}
	wantCounted(t, home, lines)
	old := tooOld
	tooOld = -1
	defer func() { tooOld = old }()
	s := opened(t, disk{}, home)
	setLimits(t, 3, maxBytes)
	for range 8 { // two snapshots, which no other process prevents
		put(t, s, "last", "1")
	}
	wantNames(t, home, encodeName(name))
	if files := names(t, s.logDir()); len(files) > 12 {
		t.Errorf("%d files were left: %q", len(files), files)
	}
}

// wantCounted checks that every commit that has succeeded is stored, and nothing twice.
func wantCounted(t *testing.T, home string, succeeded []string) {
	t.Helper()
	s := opened(t, disk{}, home)
	stored := map[string]string{}
	all, err := s.Scan(t.Context(), store.Range{From: "by/", To: "by0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		stored[strings.TrimPrefix(r.Key, "by/")] = string(r.Value)
	}
	for _, line := range succeeded {
		number, value, _ := strings.Cut(line, "=")
		if stored[number] != value {
			t.Errorf("commit %s by %s is not stored, but %q", number, value, stored[number])
		}
	}
	values, err := s.Get(t.Context(), "n")
	if err != nil || string(values[0]) != strconv.Itoa(len(stored)) {
		t.Errorf("the number is %q, %v; want %d", values[0], err, len(stored))
	}
	if len(succeeded) < 30 {
		t.Errorf("only %d commits", len(succeeded))
	}
}
