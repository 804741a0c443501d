// Package mutate plants mistakes in the code, for tests that must find them.
package mutate

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// An Edit replaces text in a file: its path below the package of the test, the
// old text, which must be there exactly once, and the new.
type Edit [3]string

// Whether a mistake is found is not left to chance.
const seed = "1"

// Find plants a mistake and fails unless one of the tests, a regular expression of
// names in the package in, finds it. They must pass without the mistake first,
// under the same flags: a test that fails anyway, or is too slow, finds nothing.
func Find(t *testing.T, edits []Edit, in, tests string, flags ...string) {
	t.Helper()
	args := append([]string{in, "-run", "^(" + tests + ")$", "-timeout", "15m"}, flags...)
	if why := control(t, args); why != "" {
		t.Fatalf("without the mistake: %s", why)
	}
	output, err := Test(t, edits, args...)
	switch found := Finding(tests, output); {
	case err == nil:
		t.Error("it survives")
	case found == "":
		t.Errorf("it was not tried: %v\n%s", err, output)
	default:
		t.Log(found)
	}
}

var (
	controls   = map[string]func() string{}
	controlsMu sync.Mutex
)

// control runs tests without a mistake, once, and says what is wrong with them.
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

// Finding returns the line with which one of the tests found a mistake: an
// assertion of a test that failed, or the deadlock of its bubble. A build that
// failed and a test that took too long have found nothing.
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

// Test runs go test with args, below the package of the running test, as if the
// edits had been made. It returns what that printed, and its error. The tree
// itself is not touched.
func Test(t *testing.T, edits []Edit, args ...string) (string, error) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]string{}
	for _, e := range edits {
		path := filepath.Join(dir, e[0])
		from := path
		if overlay[path] != "" {
			from = overlay[path]
		}
		source, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), e[1]); n != 1 {
			t.Fatalf("%s has this %d times, not once:\n%s", e[0], n, e[1])
		}
		overlay[path] = filepath.Join(t.TempDir(), filepath.Base(path))
		if err := os.WriteFile(overlay[path], []byte(strings.Replace(string(source), e[1], e[2], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"test", "-overlay", file, "-vet=off", "-ldflags=-s -w", "-count=1"}, args...)...)
	cmd.Env = append(os.Environ(), "PAM_SEED="+seed)
	output, err := cmd.CombinedOutput()
	return string(output), err
}
