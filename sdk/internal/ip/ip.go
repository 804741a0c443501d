// Package ip parses IP addresses. Packages net and net/netip do more, and are larger: the
// program for browsers has this package in their place, also in mellium.im/xmpp/jid (see
// js/scripts/modules.mjs).
package ip

import "strings"

// IP is an address in 16 bytes, as in package net; nil if there is none.
type IP []byte

const (
	size4 = 4
	size6 = 16
)

// mapped begins an address of IPv4 in 16 bytes.
const mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff"

// ParseIP parses an address without zone, in the forms that net.ParseIP accepts.
func ParseIP(s string) IP {
	if !strings.Contains(s, ":") {
		return append4(IP(mapped), s)
	}
	before, after, omitted := strings.Cut(s, "::")
	b, ok := append6(nil, before)
	if !omitted {
		if !ok || len(b) != size6 {
			return nil
		}
		return b
	}
	end, ok2 := append6(nil, after)
	if !ok || !ok2 || len(b)+len(end) >= size6 || strings.Contains(before, ".") {
		return nil
	}
	return append(append(b, make(IP, size6-len(b)-len(end))...), end...)
}

// append6 appends the groups of s, of which the last may be an address of IPv4.
func append6(b IP, s string) (IP, bool) {
	if s == "" {
		return b, true
	}
	groups := strings.Split(s, ":")
	for i, group := range groups {
		if i == len(groups)-1 && strings.Contains(group, ".") {
			b = append4(b, group)
			return b, b != nil
		}
		n, ok := number(group, 16, 4)
		if !ok {
			return nil, false
		}
		b = append(b, byte(n>>8), byte(n))
	}
	return b, true
}

// append4 appends the four numbers of s, which have no leading zeros.
func append4(b IP, s string) IP {
	numbers := strings.Split(s, ".")
	if len(numbers) != size4 {
		return nil
	}
	for _, text := range numbers {
		n, ok := number(text, 10, 3)
		if !ok || n > 0xFF || len(text) > 1 && text[0] == '0' {
			return nil
		}
		b = append(b, byte(n))
	}
	return b
}

// number parses at least one and at most so many digits.
func number(s string, base, digits int) (n int, ok bool) {
	for i := range len(s) {
		d := strings.IndexByte("0123456789abcdef", s[i]|0x20)
		if d < 0 || d >= base || s[i] < '0' {
			return 0, false
		}
		n = n*base + d
	}
	return n, 0 < len(s) && len(s) <= digits
}

// To4 returns the four bytes of an address of IPv4, or nil.
func (ip IP) To4() IP {
	if len(ip) != size6 || string(ip[:len(mapped)]) != mapped {
		return nil
	}
	return ip[len(mapped):]
}

// IsLoopback reports whether an address is one of the host itself.
func (ip IP) IsLoopback() bool {
	if ip4 := ip.To4(); ip4 != nil {
		return ip4[0] == 127
	}
	return string(ip) == "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
}
