package file

import (
	"os"
	"testing"
)

// roles are what this program does, as a process of its own, for TestProcesses and other
// tests; the key is the value of the environment variable FILE_TEST_ROLE.
var roles = map[string]func(home string) error{}

func TestMain(m *testing.M) {
	if role := os.Getenv("FILE_TEST_ROLE"); role != "" {
		if err := roles[role](os.Getenv("FILE_TEST_HOME")); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Most tests need no real disk, and thousands of syncs take long on one.
	if _, err := os.Stat("/dev/shm"); err == nil && os.Getenv("TMPDIR") == "" {
		_ = os.Setenv("TMPDIR", "/dev/shm")
	}
	os.Exit(m.Run())
}
