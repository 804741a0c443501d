package prosody

import (
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

//go:embed lua
var modules embed.FS

const howToGet = `install it with "apt-get install --no-install-recommends prosody"`

// program returns the Prosody executable: the one in PATH, or the one that PAM_PROSODY names, which has
// its prosodyctl in the same folder.
func program() string { return cmp.Or(os.Getenv("PAM_PROSODY"), "prosody") }

// Available returns nil if Prosody 0.12 or later is installed, and otherwise an error with instructions
// for installing it. If the environment variable PAM_PROSODY is set, Available and Start use the program
// at that path.
func Available() error {
	_, err := installed()
	return err
}

var versionLine = regexp.MustCompile(`(?m)^Prosody (\d+)\.(\d+)\S*`)

// installed returns the version of the installed Prosody, as prosodyctl prints it: prosody itself has no
// option for that and would start the server.
func installed() (string, error) {
	prosody, err := exec.LookPath(program())
	if err != nil {
		return "", fmt.Errorf("prosody: %s is not found; %s", program(), howToGet)
	}
	dir, err := os.MkdirTemp("", "xmpp-pam-prosody-")
	if err != nil {
		return "", fmt.Errorf("prosody: no temporary folder: %w", err)
	}
	defer os.RemoveAll(dir)
	// prosodyctl reads an empty configuration, because only some users may read the installed one.
	empty := filepath.Join(dir, "prosody.cfg.lua")
	if err := os.WriteFile(empty, []byte("run_as_root = true\n"), 0o600); err != nil {
		return "", fmt.Errorf("prosody: no temporary file: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ctl := filepath.Join(filepath.Dir(prosody), "prosodyctl")
	about, err := exec.CommandContext(ctx, ctl, "--config", empty, "about").Output()
	found := versionLine.FindSubmatch(about)
	if found == nil {
		return "", fmt.Errorf("prosody: prosodyctl does not print its version (%v); %s", err, howToGet)
	}
	major, _ := strconv.Atoi(string(found[1]))
	minor, _ := strconv.Atoi(string(found[2]))
	if major == 0 && minor < 12 {
		return "", fmt.Errorf("prosody: %s is too old, 0.12 is needed; %s", found[0], howToGet)
	}
	return string(found[0]), nil
}

const configuration = `-- Written by the program that starts this Prosody.
run_as_root = true
daemonize = false
pidfile = %[1]q
data_path = %[2]q
plugin_paths = { %[3]q }
certificates = %[2]q
log = { debug = %[4]q }

interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
http_ports = { %[5]d }
http_interfaces = { "127.0.0.1" }
http_default_host = "localhost"
https_ports = {}
c2s_ports = {}
c2s_direct_tls_ports = {}
s2s_ports = {}
s2s_direct_tls_ports = {}
component_ports = {}

-- One port of this machine only, so neither TLS nor certificates.
c2s_require_encryption = false
consider_websocket_secure = true
allow_unencrypted_plain_auth = true

storage = "internal"
authentication = "internal_hashed"
password_hash = %[6]q

modules_disabled = { "s2s"; "tls"%[8]s }
modules_enabled = {
	"roster"; "saslauth"; "disco"; "posix"; "ping"; "version"; "time";
	"pep"; "mam"; "carbons"; "smacks"; "blocklist"; "private"; "vcard4"; "vcard_legacy"; "bookmarks";
	"csi"; "offline"; "http"; "websocket";
}

VirtualHost "localhost"
	modules_enabled = { "pam" }
	default_archive_policy = true
%[10]s	archive_expires_after = "never"

Component "pubsub.localhost" "pubsub"
	admins = { %[9]s}
	modules_enabled = { "pam_control" }
	pam_control_host = "localhost"
	pam_control_secret = %[7]q
	autocreate_on_publish = true
	autocreate_on_subscribe = false
	pubsub_max_items = 1000
`

// configure writes the modules and a configuration with a currently free port and a new secret.
func configure(dir string, cfg Config) (port int, secret string, err error) {
	hash := cmp.Or(cfg.Hash, "SHA-256")
	if hash != "SHA-256" && hash != "SHA-1" {
		return 0, "", fmt.Errorf("prosody: Config.Hash is %q; it must be SHA-256 or SHA-1", hash)
	}
	var admins, disabled, most string
	if cfg.MaxSubscriptions > 0 {
		most = fmt.Sprintf("\tpam_max_subscriptions = %d\n", cfg.MaxSubscriptions)
	}
	for _, localpart := range cfg.Admins {
		admins += fmt.Sprintf("%q; ", localpart+"@"+domain)
	}
	if cfg.NoArchive {
		disabled = `; "mam"`
	}
	if port, err = freePort(); err != nil {
		return 0, "", err
	}
	secret = rand.Text()
	modulePath, dataPath := filepath.Join(dir, "modules"), filepath.Join(dir, "data")
	text := fmt.Sprintf(configuration, filepath.Join(dir, "prosody.pid"), dataPath, modulePath,
		filepath.Join(dir, "prosody.log"), port, hash, secret, disabled, admins, most)
	err = errors.Join(
		os.MkdirAll(dataPath, 0o700),
		os.WriteFile(filepath.Join(dir, "prosody.cfg.lua"), []byte(text), 0o600),
	)
	if err == nil {
		err = writeModules(modulePath)
	}
	if err != nil {
		return 0, "", fmt.Errorf("prosody: its folder cannot be prepared: %w", err)
	}
	return port, secret, nil
}

// writeModules writes the embedded server modules and overwrites those of an earlier run.
func writeModules(dir string) error {
	source, err := fs.Sub(modules, "lua")
	if err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(dir), os.CopyFS(dir, source))
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("prosody: no free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
