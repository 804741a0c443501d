package pubsub

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	const service, node = "pubsub.shakespeare.lit", "princely_musings"
	for text, want := range map[string]URI{
		// XEP-0060 §13.22 and §17.6
		"xmpp:pubsub.shakespeare.lit?;node=princely_musings":                                      {Service: service, Node: node},
		"xmpp:pubsub.shakespeare.lit?;node=princely_musings;item=ae89":                            {Service: service, Node: node, Item: "ae89"},
		"xmpp:pubsub.shakespeare.lit?pubsub;action=subscribe;node=princely_musings":               {Service: service, Node: node, Action: "subscribe"},
		"xmpp:pubsub.shakespeare.lit?pubsub;action=unsubscribe;node=princely_musings":             {Service: service, Node: node, Action: "unsubscribe"},
		"xmpp:pubsub.shakespeare.lit?pubsub;action=retrieve;node=princely_musings;item=ae89":      {Service: service, Node: node, Item: "ae89", Action: "retrieve"},
		"xmpp:hamlet@denmark.lit?;node=blog":                                                      {Service: "hamlet@denmark.lit", Node: "blog"},
		"xmpp:hamlet@denmark.lit?;node=urn%3Axmpp%3Amicroblog%3A0":                                {Service: "hamlet@denmark.lit", Node: "urn:xmpp:microblog:0"},
		" XMPP:PubSub.Shakespeare.LIT?;node=princely_musings\n":                                   {Service: service, Node: node},
		"xmpp://guest@example.com/pubsub.shakespeare.lit?;node=princely_musings":                  {Service: service, Node: node},
		"xmpp:pubsub.shakespeare.lit?;node=princely_musings#part":                                 {Service: service, Node: node},
		"xmpp:pubsub.shakespeare.lit?;x=1;node=princely_musings;node=other;item":                  {Service: service, Node: node},
		"xmpp:pubsub.shakespeare.lit?;node=a%3Bb%3dc%20+%26":                                      {Service: service, Node: "a;b=c +&"},
		"xmpp:pubsub.shakespeare.lit?;node=nyt=1/2":                                               {Service: service, Node: "nyt=1/2"},
		"xmpp:pubsub.shakespeare.lit?;node=%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8;item=приём": {Service: service, Node: "новости", Item: "приём"},
		"xmpp:n%C3%A4m%27x@b%C3%BCcher.example?;node=n":                                           {},
		"xmpp:n%C3%A4mx@b%C3%BCcher.example?;node=n":                                              {Service: "nämx@bücher.example", Node: "n"},
		"xmpp:pubsub.shakespeare.lit/news?;node=n":                                                {Service: "pubsub.shakespeare.lit/news", Node: "n"},
		"xmpp:p.lit?;node=n;x=" + strings.Repeat("x", maxURI-21):                                  {Service: "p.lit", Node: "n"},
	} {
		if got, err := ParseURI(text); got != want || (err == nil) != (want != URI{}) {
			t.Errorf("%s: got %+v, error %v", text, got, err)
		}
	}

	for text, want := range map[string]string{
		"":                                   "must begin with xmpp:",
		"https://pubsub.shakespeare.lit":     "must begin with xmpp:",
		"pubsub.shakespeare.lit":             "must begin with xmpp:",
		"xmpp:":                              `"" is not the JID of a service`,
		"xmpp:pubsub.shakespeare.lit":        "names no node",
		"xmpp:pubsub.shakespeare.lit?":       "names no node",
		"xmpp:pubsub.shakespeare.lit?;node=": "names no node",
		"xmpp:pubsub.shakespeare.lit?pubsub;item=a":               "names no node",
		"xmpp://pubsub.shakespeare.lit?;node=n":                   "without slashes",
		"xmpp:a@b@c?;node=n":                                      "is not the JID",
		"xmpp:xn--example-.org?;node=n":                           "is not the JID",
		"xmpp:%zz?;node=n":                                        "is not the JID",
		"xmpp:hamlet@denmark.lit/castle?;node=n":                  "is a connection of an account",
		"xmpp:romeo@montague.net?message;body=hi":                 `but for "message"`,
		"xmpp:pubsub.shakespeare.lit?node=n":                      `but for "node=n"`,
		"xmpp:pubsub.shakespeare.lit?pubsub;action=delete;node=n": `"delete" is not an action`,
		"xmpp:pubsub.shakespeare.lit?;node=%":                     "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%4":                    "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%g4":                   "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%4g":                   "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%g4%8F%BF%BF":          "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%EF%BF%BE":             "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%FF":                   "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=%00":                   "value of node",
		"xmpp:pubsub.shakespeare.lit?;node=n;item=%EF%BF%BF":      "value of item",
		"xmpp:p.lit?;node=" + strings.Repeat("x", maxID+1):        "value of node is too long",
		"xmpp:p.lit?;node=" + strings.Repeat("x", maxURI-16):      "The address is too long",
		"xmpp:p.lit?" + strings.Repeat("k", 5000) + ";node=n":     "k…",
		"xmpp:" + strings.Repeat("d", 5000) + "?;node=n":          "is not the JID",
	} {
		got, err := ParseURI(text)
		var problem *URIError
		if got != (URI{}) || !errors.As(err, &problem) || !strings.Contains(problem.Text, want) || !strings.HasSuffix(problem.Text, ".") || len(problem.Text) > 300 {
			t.Errorf("%.100s: got %+v, error %v", text, got, err)
		}
	}
}

// TestURIs checks that each URI that is built is parsed to the same.
func TestURIs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("abcXYZ019-._~:/?#[]@!$&'()*+,;=% %2F\"<>\\^`{|}é…日😀")
	word := func() string {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	services := []string{"pubsub.example.org", "hamlet@denmark.lit", "bücher.example", "näm;e=%25@b.example", "pubsub.example.org/a node@x/y", "[::1]", "a!$*+,.x@b.lit", "pubsub.example.org/a?b#c;d"}
	for range 2000 {
		u := URI{Service: services[random.IntN(len(services))], Node: word(), Action: []string{"", "subscribe", "retrieve"}[random.IntN(3)]}
		if random.IntN(2) == 0 {
			u.Item = word()
		}
		text := u.String()
		if got, err := ParseURI(text); got != u || err != nil {
			t.Fatalf("%+v became %s and then %+v, error %v", u, text, got, err)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7F || strings.ContainsRune("<>\"'\\^`{|}", r) }) {
			t.Fatalf("%s is not a URI", text)
		}
	}
	if got := (URI{Service: "hamlet@denmark.lit", Node: "blog"}).String(); got != "xmpp:hamlet@denmark.lit?;node=blog" {
		t.Errorf("got %s", got)
	}
	if got := (URI{Service: "a.lit", Node: "azAZ09-._~"}).String(); got != "xmpp:a.lit?;node=azAZ09-._~" {
		t.Errorf("got %s", got)
	}
	if got := (URI{Service: "pubsub.shakespeare.lit", Node: "princely_musings", Item: "a:b", Action: "retrieve"}).String(); got != "xmpp:pubsub.shakespeare.lit?pubsub;action=retrieve;node=princely_musings;item=a%3Ab" {
		t.Errorf("got %s", got)
	}
}
