package file

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const (
	newSuffix       = "~new-" // of a directory that is being made
	oldSuffix       = "~old-" // of one that is being removed
	temporaryPrefix = "new-"  // of a file that is being written
	maxName         = 120     // bytes of an encoded name
)

// encodeName returns the name of a store's directory. All systems accept it, and
// different stores have different ones, also where upper and lower case are the same. It
// holds no "~", except before the digest of a long name.
func encodeName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '@', c == '.', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	encoded := b.String()
	if len(encoded) > maxName {
		digest := sha256.Sum256([]byte(name))
		encoded = encoded[:maxName/2] + "~" + hex.EncodeToString(digest[:16])
	}
	return "xmpp-pam-" + encoded + "-1" // does not end in a dot, which Windows would remove
}

// fileName returns the name of a file of the log. The names sort like the numbers.
func fileName(number uint64) string { return fmt.Sprintf("%016x", number) }

func parseFileName(name string) (number uint64, ok bool) {
	number, err := strconv.ParseUint(name, 16, 64)
	return number, err == nil && number > 0 && fileName(number) == name
}

// isID reports whether a name in a store's directory is that of a log.
func isID(name string) bool {
	_, err := hex.DecodeString(name)
	return err == nil && len(name) == 32
}

func temporaryName() string { return temporaryPrefix + random() }

// isTemporary reports whether a name in the directory of a log is that of a temporary file.
func isTemporary(name string) bool {
	return strings.HasPrefix(name, temporaryPrefix) && len(name) == len(temporaryPrefix)+32
}

// random returns 32 hexadecimal digits.
func random() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
