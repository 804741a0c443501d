package privatepep

import "testing"

// TestNextNode checks that the configuration that the server has accepted for one node is
// the first that is tried for the next one, and for one that was deleted.
func TestNextNode(t *testing.T) {
	for _, v := range variants {
		if v.name != "without max_items" {
			continue
		}
		p := play(t, v).session()
		p.put("k0", 1).run()
		p.want("create max 5, create 1000 5, create 256 5, create 4, check, publish", "stored k0")
		p.put("k1", 1).run()
		p.want("create 4, check, publish", "stored k1")
		delete(p.nodes, Node("base", "k1"))
		p.session()
		p.put("k1", 2).run()
		p.want("create 4, check, publish", "stored k1")
	}
}

// TestVariants checks with each kind of server how a node is created, checked and used.
func TestVariants(t *testing.T) {
	const ok = "check, publish"
	tests := map[string]struct {
		first, heard string
		max, limit   int
	}{
		"Prosody 0.12":                  {"create max 5, " + ok, "stored k0", 256, 250},
		"Prosody 0.11":                  {"create max 5, " + ok, "stored k0", 256, 250},
		"Prosody with pep_max_items 12": {"create max 5, " + ok, "stored k0", 12, 9},
		"ejabberd 23.01":                {"create max 5, " + ok, "stored k0", 1000, 250},
		"ejabberd 24.12":                {"create max 5, " + ok, "stored k0", 1000, 250},
		"ejabberd before 21.12":         {"create max 5, create 1000 5, " + ok, "stored k0", 1000, 994},
		"Openfire":                      {"create max 5, create 1000 5, " + ok, "stored k0", 1000, 994},
		"Metronome":                     {"create max 5, check, configure max 6, " + ok, "stored k0", 20, 15},
		"numbers up to 256":             {"create max 5, create 1000 5, create 256 5, " + ok, "stored k0", 256, 250},
		"without max_items":             {"create max 5, create 1000 5, create 256 5, create 4, " + ok, "stored k0", 300, 250},
		"without notify_retract":        {"create max 5, create 1000 5, create 256 5, create 4, create 3, " + ok, "stored k0", 300, 250},
		"with two fields":               {"create max 5, create 1000 5, create 256 5, create 4, create 3, create 2, check, configure max 5, configure 1000 5, configure 256 5, configure 4, configure 3, configure 2, " + ok, "stored k0", 300, 250},
		"configures only later":         {"create max 5, check, configure max 6, " + ok, "stored k0", 256, 250},
		"full nodes refuse items":       {"create max 5, " + ok, "stored k0", 12, 9},
		"MongooseIM":                    {"create max 5, create 1000 5, create 256 5, create 4, create 3, create 2", "unsupported creation refused", 0, 0},
		"pretends":                      {"create max 5, check, configure max 6, check", "unsupported not private", 1, 0},
		"unreadable":                    {"create max 5, check", "unsupported unreadable", 256, 0},
		"without publish-options":       {"", "", 0, 0},
	}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			p := play(t, v).session()
			p.put("k0", 1).run()
			n := &p.m.nodes[place("k0")]
			if v.badOptions {
				if p.heard[len(p.heard)-1] != "unsupported precondition failed" || len(p.served) > 40 {
					t.Errorf("%q after %s", p.heard, p.history())
				}
				return
			}
			tt := tests[v.name]
			p.want(tt.first, tt.heard)
			if at := p.nodes[n.name]; at != nil && at.max != tt.max {
				t.Errorf("the node keeps %d items, want %d", at.max, tt.max)
			}
			if n.private && n.limit != tt.limit {
				t.Errorf("%d items are used, want %d", n.limit, tt.limit)
			}
			if len(p.leaks) > 0 {
				t.Errorf("leaks: %q", p.leaks)
			}
		})
	}
}
