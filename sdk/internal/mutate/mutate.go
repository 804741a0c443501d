// Package mutate plants mistakes in the code, for tests that must find them.
package mutate

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An Edit replaces text in a file: its path below the package of the test, the
// old text, which must be there exactly once, and the new.
type Edit [3]string

// Whether a mistake is found is not left to chance.
const seed = "1"

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
