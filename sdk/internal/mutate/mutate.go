// Package mutate runs mutation tests: it changes the code (a mutant) and checks that
// other tests fail.
package mutate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A fixed seed makes the result of random tests repeatable.
const seed = "2"

// Find makes the edits and fails unless one of the tests detects the mutant. tests is
// a regular expression of names, preceded by the name of their package if that is not
// the running test's. They must pass without the edits, with the same flags: a test
// that fails anyway, or is too slow, detects nothing.
func Find(t *testing.T, edits []Edit, tests string, flags ...string) {
	t.Helper()
	in := "."
	if name, rest, ok := strings.Cut(tests, " "); ok {
		in, tests = folder(t, name), rest
	}
	args := append([]string{in, "-run", "^(" + tests + ")$", "-timeout", "15m"}, flags...)
	output, err := Test(t, edits, args...)
	found := Finding(tests, output)
	switch {
	case err == nil:
		t.Fatal("no test detects it")
	case found == "":
		t.Fatalf("it was not tried: %v\n%s", err, output)
	}
	if why := control(t, upTo(found, args)); why != "" {
		t.Fatalf("without the edits: %s", why)
	}
	t.Log(found)
}

var inSchedule = regexp.MustCompile(`: schedule (\d+)\b`)

// upTo returns args with a number of schedules that suffices to reach the schedule in
// which a mutant was found: with the same seed, these are the first ones. It returns a
// power of two, so that the mutants have few different controls.
func upTo(found string, args []string) []string {
	m := inSchedule.FindStringSubmatch(found)
	if m == nil {
		return args
	}
	last, _ := strconv.Atoi(m[1])
	enough := 64
	for enough <= last {
		enough *= 2
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if flag, n, ok := strings.Cut(arg, "schedules="); ok {
			all, _ := strconv.Atoi(n)
			args[i] = fmt.Sprintf("%sschedules=%d", flag, min(all, enough))
		}
	}
	return args
}

var (
	controls   = map[string]func() string{}
	controlsMu sync.Mutex
)

// control runs tests without a mutant, once, and returns the reason if they fail.
func control(t *testing.T, args []string) string {
	key := strings.Join(args, "\x00")
	controlsMu.Lock()
	run := controls[key]
	if run == nil {
		run = sync.OnceValue(func() string {
			output, err := Test(t, nil, args...)
			switch {
			case err != nil:
				return err.Error() + "\n" + output
			case strings.Contains(output, "no tests to run"):
				return "there is no such test"
			}
			return ""
		})
		controls[key] = run
	}
	controlsMu.Unlock()
	return run()
}

var assertion = regexp.MustCompile(`(?m)^\s+\w+_test\.go:\d+: .*`)

// Finding returns the line with which one of the tests detected a mutant: an assertion
// of a failed test, or the deadlock of its bubble. A failed build and a test that took
// too long detect nothing.
func Finding(tests, output string) string {
	failed := regexp.MustCompile(`(?m)^--- FAIL: (` + tests + `) `)
	if strings.Contains(output, "panic: test timed out") || !failed.MatchString(output) {
		return ""
	}
	for _, line := range assertion.FindAllString(output, -1) {
		if line = strings.TrimSpace(line); !strings.Contains(line, "PAM_SEED=") {
			return line
		}
	}
	if i := strings.Index(output, "panic: deadlock"); i >= 0 {
		line, _, _ := strings.Cut(output[i:], "\n")
		return line
	}
	return ""
}

// Check fails unless the module contains the places of the edits. It returns the files
// that the edits change.
func Check(t *testing.T, edits []Edit) Tree {
	t.Helper()
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	changed, err := files.Apply(edits)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// tree returns the unchanged module.
var tree = sync.OnceValues(func() (Tree, error) {
	_, t, err := ReadTree()
	return t, err
})

// folder returns the folder of the package with the name.
func folder(t *testing.T, name string) string {
	files, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for path, text := range files {
		if bytes.Contains(text, []byte("\npackage "+name+"\n")) || bytes.HasPrefix(text, []byte("package "+name+"\n")) {
			found[filepath.Dir(path)] = true
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d packages are called %s", len(found), name)
	}
	for dir := range found {
		return dir
	}
	return ""
}

// Test runs go test with args as if the edits had been made. It returns the output and
// the error of go test. It does not change the files.
func Test(t *testing.T, edits []Edit, args ...string) (string, error) {
	t.Helper()
	overlay, err := Check(t, edits).Overlay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"test", "-overlay", overlay, "-vet=off", "-ldflags=-s -w", "-count=1"}, args...)...)
	cmd.Env = append(os.Environ(), "PAM_SEED="+seed)
	output, err := cmd.CombinedOutput()
	return string(output), err
}
