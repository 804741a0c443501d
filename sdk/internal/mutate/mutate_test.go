package mutate

import (
	"slices"
	"testing"
)

func TestFinding(t *testing.T) {
	const failed = "--- FAIL: TestLists (0.01s)\n"
	for output, found := range map[string]bool{
		failed + "    lists_test.go:7: got 1 row, want 2\nFAIL\n":                                                true,
		failed + "    --- FAIL: TestLists/empty (0.00s)\n        lists_test.go:7: schedule 3: I1\n":              true,
		failed + "    lists_test.go:3: PAM_SEED=1\n        --- FAIL: x\n            lists_test.go:9: lost\n":     true,
		failed + "panic: deadlock: main bubble goroutine has exited but blocked goroutines remain [recovered]\n": true,
		failed + "    lists_test.go:3: PAM_SEED=1\nFAIL\n":                                                       false,
		failed + "    lists_test.go:7: got 1\npanic: test timed out after 2m0s\n":                                false,
		"panic: test timed out after 2m0s\n\trunning tests:\n\t\tTestLists (2m0s)\n":                             false,
		"--- FAIL: TestOther (0.01s)\n    lists_test.go:7: got 1 row, want 2\nFAIL\n":                            false,
		"--- FAIL: TestListsMore (0.01s)\n    lists_test.go:7: got 1 row, want 2\nFAIL\n":                        false,
		"# xmpp-pam/sdk/client\n./list.go:7:2: undefined: x\nFAIL\txmpp-pam/sdk/client [build failed]\n":         false,
		"panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nFAIL\txmpp-pam/sdk/client\t0.01s\n": false,
		"ok  \txmpp-pam/sdk/client\t0.01s [no tests to run]\n":                                                   false,
	} {
		if got := Finding("TestLists|TestRows.*", output); (got != "") != found {
			t.Errorf("%q finds %q", output, got)
		}
	}
}

func TestUpTo(t *testing.T) {
	args := []string{".", "-client.schedules=2000", "-client.seed=1"}
	for found, want := range map[string]string{
		"lists_test.go:7: schedule 3: I1 is broken":             "-client.schedules=64",
		"lists_test.go:7: schedule 64 of -client.seed=1: wrong": "-client.schedules=128",
		"lists_test.go:7: schedule 1999: I1 is broken":          "-client.schedules=2000",
		"lists_test.go:7: got 1 row, want 2":                    "-client.schedules=2000",
	} {
		if got := upTo(found, args); !slices.Equal(got, []string{".", want, "-client.seed=1"}) {
			t.Errorf("%q needs %q", found, got)
		}
	}
}
