package prosody

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// restart runs the server again with the same data, with a line added to the global configuration.
func (s *Server) restart(t testing.TB, option string) {
	t.Helper()
	s.restartWith(t, "interfaces =", option+"\ninterfaces =")
}

// restartWith runs the server again with the same data, with a text of the configuration replaced.
func (s *Server) restartWith(t testing.TB, old, new string) {
	t.Helper()
	s.stop()
	s.edit(t, old, new)
	s.resume(t)
}

func (s *Server) edit(t testing.TB, old, new string) {
	t.Helper()
	configFile := filepath.Join(s.dir, "prosody.cfg.lua")
	text, err := os.ReadFile(configFile)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("the configuration has no %q: %v", old, err)
	}
	if err := os.WriteFile(configFile, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signal sends a signal to Prosody. Package syscall does not name all of them everywhere.
func (s *Server) signal(t testing.TB, name string) {
	t.Helper()
	if out, err := exec.Command("kill", "-"+name, strconv.Itoa(s.child.process.Pid)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// resume starts a stopped server.
func (s *Server) resume(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	if err := s.run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Accounts: accounts})
	online(t, s, "alice", "a") // stays connected
	pid := s.child.process.Pid
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("folder is still there: %v", err)
	}
	if conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL(), "ws://"), "/xmpp-websocket")); err == nil {
		conn.Close()
		t.Error("port is still open")
	}
	if s.Log() == "" {
		t.Error("the log is lost")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := s.AddAccount("carol", "x"); err == nil {
		t.Error("AddAccount works after Close")
	}
}

func TestAdministration(t *testing.T) {
	t.Parallel()
	s := start(t, Config{Hash: "SHA-1", Nodes: []string{"urn:example:0", "a:open", "b:whitelist"}})
	t.Log(s.Version())
	if !strings.HasPrefix(s.Version(), "Prosody ") || s.Domain() != "localhost" {
		t.Errorf("version %q, domain %q", s.Version(), s.Domain())
	}
	for _, c := range []struct {
		name string
		err  error
		want string // part of the error; empty for success
	}{
		{"account", s.AddAccount("alice", "pw-alice"), ""},
		{"bad localpart", s.AddAccount("a@b", "x"), "localpart"},
		{"node", s.CreateNode("n", ""), ""},
		{"same node", s.CreateNode("n", "open"), "conflict"},
		{"configured node", s.CreateNode("urn:example:0", "open"), "conflict"},
		{"configured node", s.CreateNode("a", "open"), "conflict"},
		{"configured node", s.CreateNode("b", "open"), "conflict"},
		{"unknown access", s.CreateNode("m", "secret"), "not-acceptable"},
		{"item", s.Publish("n", "i", "<x xmlns='urn:example'/>"), ""},
		{"broken payload", s.Publish("n", "i", "<x"), "well-formed"},
	} {
		if c.want == "" && c.err != nil || c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, c.err, c.want)
		}
	}
	online(t, s, "alice", "a")
	s.secret = "wrong"
	if err := s.AddAccount("eve", "x"); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("without the secret: %v", err)
	}
}

func TestStartFailures(t *testing.T) {
	start(t, Config{}).Close() // skips without Prosody
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	if _, err := Start(t.Context(), Config{Hash: "MD5"}); err == nil || !strings.Contains(err.Error(), "SHA-256 or SHA-1") {
		t.Errorf("unknown hash: %v", err)
	}
	if _, err := Start(t.Context(), Config{Accounts: map[string]string{"a@b": "x"}}); err == nil || !strings.Contains(err.Error(), "localpart") {
		t.Errorf("bad account: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := Available(); err == nil || !strings.Contains(err.Error(), "apt-get install") {
		t.Errorf("without Prosody: %v", err)
	}
}

// TestPortTaken checks that Start does not mistake another program's server on the port for its own.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	s := start(t, Config{})
	s.stop()
	squatter, err := net.Listen("tcp", strings.TrimSuffix(strings.TrimPrefix(s.URL(), "ws://"), "/xmpp-websocket"))
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	go func() {
		for {
			conn, err := squatter.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
			conn.Close()
		}
	}()
	if s.child, err = run(s.dir); err != nil {
		t.Fatal(err)
	}
	if err := s.ready(t.Context()); !errors.Is(err, errPortTaken) {
		t.Errorf("got %v", err)
	}
}

// TestCommand runs prosodyserver, ends it in each of the three ways, and checks that it leaves no files.
func TestCommand(t *testing.T) {
	start(t, Config{}).Close() // skips without Prosody
	program := filepath.Join(t.TempDir(), "prosodyserver")
	if out, err := exec.Command("go", "build", "-o", program, "./prosodyserver").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, end := range map[string]func(*exec.Cmd, func()){
		"stdin":   func(_ *exec.Cmd, closeStdin func()) { closeStdin() },
		"sigterm": func(cmd *exec.Cmd, _ func()) { cmd.Process.Signal(syscall.SIGTERM) },
		"sigkill": func(cmd *exec.Cmd, _ func()) { cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			cmd := exec.Command(program, "-account", "alice:pw-alice", "-node", "n", "-node", "c:whitelist")
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			stdin, _ := cmd.StdinPipe()
			stdout, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			line := make([]byte, 200)
			n, err := stdout.Read(line)
			address, ok := strings.CutPrefix(strings.TrimSpace(string(line[:n])), "listening ws://")
			if err != nil || !ok {
				t.Fatalf("printed %q, %v", line[:n], err)
			}
			address = strings.TrimSuffix(address, "/xmpp-websocket")
			end(cmd, func() { stdin.Close() })
			if err := cmd.Wait(); (err != nil) != (name == "sigkill") {
				t.Errorf("ended with %v", err)
			}
			deadline := time.Now().Add(5 * time.Second)
			for {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					break
				}
				conn.Close()
				if time.Now().After(deadline) {
					t.Fatal("Prosody still runs after the end of its parent")
				}
				time.Sleep(20 * time.Millisecond)
			}
			if left, _ := os.ReadDir(tmp); len(left) > 0 && name != "sigkill" {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}
