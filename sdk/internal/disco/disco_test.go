package disco

import (
	"testing"

	"mellium.im/xmpp/disco/info"

	"xmpp-pam/sdk/internal/element"
	"xmpp-pam/sdk/internal/ns"
)

func features(vars ...string) (all []info.Feature) {
	for _, v := range vars {
		all = append(all, info.Feature{Var: v})
	}
	return all
}

func TestVer(t *testing.T) {
	tests := []struct {
		name string
		info Info
		want string
	}{
		{
			name: "XEP-0115 §5.2",
			info: Info{
				Identities: []info.Identity{{Category: "client", Type: "pc", Name: "Exodus 0.9.1"}},
				Features: features("http://jabber.org/protocol/muc", "http://jabber.org/protocol/disco#items",
					"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/caps"),
			},
			want: "QgayPKawpkPSDYmwT/WM94uAlu0=",
		},
		{
			name: "a client of PAM with mirrored nodes",
			info: Info{
				Identities: []info.Identity{{Category: "client", Type: "web", Name: "gopam demo"}},
				Features: features("http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info",
					"http://jabber.org/protocol/pubsub#event", "urn:xmpp:mds:displayed:0+notify", "urn:xmpp:pam:0",
					"urn:xmpp:ping", "urn:xmpp:pubsub:subscription+notify"),
			},
			want: "q6DwGuz7UWH7qkT6YIqWhxMNtlc=",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.info.Ver(); got != tt.want {
				t.Errorf("Ver() = %s, want %s", got, tt.want)
			}
		})
	}
}

// TestAnswerHashes checks that what a server computes from the answer is what
// the caps announced: otherwise it ignores the answer.
func TestAnswerHashes(t *testing.T) {
	const node = "https://example.org/app"
	i := NewInfo("web", "app <&>", "urn:xmpp:pam:0", "urn:xmpp:ping", ns.DiscoInfo)
	ver := i.Caps(node).Attr("ver")

	tests := []struct {
		name  string
		query *element.Element
		want  bool
	}{
		{"no node", Query(), true},
		{"empty node", Query().Set("node", ""), true},
		{"the caps node", Query().Set("node", node+"#"+ver), true},
		{"an old hash", Query().Set("node", node+"#AAAA"), false},
		{"another node", Query().Set("node", "urn:x"), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			answer := i.Answer(tt.query, node)
			if (answer != nil) != tt.want {
				t.Fatalf("answered: %v, want %v", answer != nil, tt.want)
			}
			if answer == nil {
				return
			}
			if got, want := answer.Attr("node"), tt.query.Attr("node"); got != want {
				t.Errorf("node %q, want %q", got, want)
			}
			back := Parse(element.New("jabber:client", "iq").Add(answer))
			if back.Ver() != ver {
				t.Errorf("the answer hashes to %s, the caps say %s", back.Ver(), ver)
			}
			if !back.Has("urn:xmpp:pam:0") || back.Has("urn:x:other") {
				t.Error("features were not read back")
			}
		})
	}
}
