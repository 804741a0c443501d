package mutate

import (
	"os/exec"
	"testing"
)

// A Mutant is a mistake that tests must find.
type Mutant struct {
	Name  string
	Tests string // pattern of the tests that find it; empty means TestSchedules
	Edits []Edit
}

// CheckAll checks, without running the mutants, that their edits match the code.
func CheckAll(t *testing.T, mutants []Mutant) {
	for _, m := range mutants {
		t.Run(m.Name, func(t *testing.T) { Check(t, m.Edits) })
	}
}

// FindAll checks that their tests find the mutants; flags are for these tests. It skips
// unless they are wanted, and with the race detector, which does not cover the separate
// builds of the mutants.
func FindAll(t *testing.T, mutants []Mutant, wanted, race bool, flags ...string) {
	if testing.Short() || !wanted {
		t.Skip("not requested")
	}
	if race {
		t.Skip("it starts separate builds, which the race detector does not cover")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the go command is not installed")
	}
	for _, m := range mutants {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			tests := m.Tests
			if tests == "" {
				tests = "TestSchedules"
			}
			Find(t, m.Edits, tests, flags...)
		})
	}
}
