# The main targets are `make demo` and `make test`. Each installs what it needs.

SHELL  := /bin/bash
SERVER ?= mem
PORT   ?= 8080

export GOFLAGS ?= -mod=readonly

.PHONY: help demo check-demo test test-go test-wasm test-js test-browser test-servers test-installed test-prosody13 servers test-cut soak soak-go soak-browser personalities servers mutants bench bench-browser bench-list bench-inbox bench-startup bench-memory matrix browsers fuzz size lint wasm js docs pictures clean

help:
	@echo "make demo                  start the demo: two devices of one account in a browser page"
	@echo "make demo SERVER=prosody   start the demo with Prosody instead of the in-memory server"
	@echo "make demo PORT=8123        use another port (default 8080)"
	@echo "make test                  run all tests; on Debian as root, install Chromium and Prosody"
	@echo
	@echo "Parts of make test:"
	@echo "  lint           check the code statically"
	@echo "  test-go        portable Go packages, with the race detector"
	@echo "  test-cut       the Go client with lost connections, and mutation tests"
	@echo "  test-wasm      Go packages for browsers, in Chromium"
	@echo "  test-js        the npm package, in Node"
	@echo "  test-servers   the Go client against Prosody"
	@echo "  test-browser   the npm package and the demo, in Chromium"
	@echo "  size           print the size of the client; fail if it exceeds the budget"
	@echo
	@echo "Other targets:"
	@echo "  js             build the npm package in js/dist (also: wasm)"
	@echo "  docs           write js/docs/api.md from the types of the npm package"
	@echo "  pictures       take the pictures of the demo for the README"
	@echo "  servers        all tests of mod_pam and of the Go client, on each Prosody version"
	@echo "  personalities  the Go client against servers that interpret XEP-0376 differently"
	@echo "  mutants        all mutation tests; prints which schedule found each mutant"
	@echo "  soak           run for hours everything that make test only samples (SEED=n, SOAK=n)"
	@echo "  matrix         the npm package in bundlers and other tools (TOOL=vite); downloads them"
	@echo "  browsers       the npm package and the demo in Firefox ESR and WebKitGTK; installs them"
	@echo "  fuzz           run every fuzzer (FUZZTIME=60s)"
	@echo "  bench          run the benchmarks; prints ratios"
	@echo "  clean          delete everything that was built or installed here"

# demo builds the package and the demo, starts the demo and prints its address.
demo: check-demo js bin/demo
	@exec bin/demo -server $(SERVER) -port $(PORT)

check-demo:
	@case "$(SERVER)" in mem) ;; prosody) scripts/need prosody ;; \
	*) echo "make demo: SERVER=$(SERVER) is unknown; use mem or prosody." >&2; exit 1 ;; esac

# test prints how long each part took. It runs 50,000 random schedules of the
# synchronisation machine and 2,000 of the whole client (changes, lost connections,
# crashes, forged stanzas, several tabs, servers that interpret the draft
# differently), some of them in Chromium. It kills pages and browsers during a
# synchronisation or a catch-up, runs a hostile server against the built package,
# and runs ten mutation tests of the synchronisation code.
test:
	@scripts/need chromium prosody
	@scripts/part lint test-go test-cut test-wasm test-js test-servers test-browser size

# test-go runs the portable packages natively, with the race detector, except listsync
# and PURE: they start no goroutine, as TestPure checks, and the race detector covers
# them in the client's tests. Several packages mostly wait, so that four run at once.
PURE = address|catchup|element|inbox|privatepep|pubsub|sasl|stream
test-go:
	@scripts/need
	go test -race -count=1 -timeout 30m -p 4 $$(go list ./sdk/... ./demo/... ./wasm/jstext ./wasm/host/cases ./wasm/host/width | grep -vE '/internal/(listsync|$(PURE))$$')
	go test -count=1 -timeout 30m -skip '^TestMutants$$' $$(go list ./sdk/internal/... | grep -E '/($(PURE))$$')
	go test -count=1 -timeout 30m ./sdk/internal/listsync -listsync.schedules=50000

# test-cut drops the connection at every message, at every pair of messages and
# inside messages, and runs schedules. test-go runs a few of them with the race
# detector. Then test-cut runs ten mutation tests of the code that keeps the list.
LIST_TESTS = TestSchedules|TestStoreFaults|TestDurable|TestDelayed|TestSameList|TestChanged|TestStoreErased
test-cut:
	@scripts/need
	GOGC=400 go test -count=1 -timeout 30m -run 'TestCut|TestSchedules|TestStoreFaults' ./sdk/client
	go test -count=1 -timeout 30m -run '^TestMutants$$' ./sdk/client -client.mutants '$(LIST_TESTS)' -client.mutants.most 10

# test-wasm runs the packages for browsers in Chromium, and the file store in Node. It
# compares wasm/host with golang.org/x, and tests its users with wasm/host.
HOST_TESTS = TestParse|TestPrepared|TestLookalikes|TestEqual
FILE_TESTS = TestRecordsStay|TestErase|TestErrors|TestOrder|TestLateCommits|TestStore$$/(absent|delete|conflict|one_winner|readers|closed)
test-wasm: bin/browsertest
	@scripts/need chromium
	GOOS=js GOARCH=wasm go test -count=1 -exec "$(CURDIR)/bin/browsertest" ./wasm/socket ./wasm/idb ./wasm/fetch ./wasm/kdf ./wasm/host/idna
	GOOS=js GOARCH=wasm go test -count=1 -exec "$$(go env GOROOT)/lib/wasm/go_js_wasm_exec" ./wasm
	GOOS=js GOARCH=wasm go test -count=1 -exec "$$(go env GOROOT)/lib/wasm/go_js_wasm_exec" -run 'TestCorpus$$' ./sdk/internal/stream
	GOOS=js GOARCH=wasm go test -count=1 -exec "$$(go env GOROOT)/lib/wasm/go_js_wasm_exec" ./wasm/host/norm ./wasm/host/idna
	GOOS=js GOARCH=wasm go test -count=1 -modfile="$$(node js/scripts/modules.mjs)" -exec "$$(go env GOROOT)/lib/wasm/go_js_wasm_exec" -run '$(HOST_TESTS)' ./sdk/internal/address ./sdk/internal/sasl
	GOOS=js GOARCH=wasm go test -count=1 -exec "$$(go env GOROOT)/lib/wasm/go_js_wasm_exec" -run '$(FILE_TESTS)' ./sdk/store/file

test-js: js
	cd js && npm --silent run test

# test-browser runs the package and the demo page in Chromium, against mem and Prosody.
test-browser: js bin/demo
	@scripts/need chromium prosody
	cd js && npm --silent run test:browser

# test-servers runs the client's tests against the installed Prosody, and a few
# tests of the client and of mod_pam against Prosody 13, if Debian offers it. Both
# mostly wait, so that they run at the same time.
SMOKE = TestSubscribeAndList|TestErrors|TestEvents|TestJoined|TestService|TestRestoredBackup|TestAccountDeleted
test-servers:
	@scripts/need prosody
	@$(MAKE) --no-print-directory -j2 -O test-installed test-prosody13

test-installed:
	PAM_SERVER=prosody go test -count=1 -timeout 30m ./sdk/client
	PAM_SERVER=prosody go test -count=1 -run TestProsody ./sdk/internal/privatepep

test-prosody13:
	scripts/prosody13 go test -count=1 -run '^($(SMOKE))$$' ./sdk/server/prosody
	PAM_SERVER=prosody scripts/prosody13 go test -count=1 -run '^(TestTwoDevices|TestResumeAtAServer|TestNextRunAtAServer|TestLongAbsence)$$' ./sdk/client
	PAM_SERVER=prosody scripts/prosody13 go test -count=1 -run TestProsody ./sdk/internal/privatepep

# servers runs all tests of mod_pam and of the client against each Prosody, and
# benchmarks mod_pam, as ratios.
servers:
	@scripts/need prosody
	go test -count=1 -timeout 30m ./sdk/server/prosody
	PAM_SERVER=prosody go test -count=1 -timeout 40m ./sdk/client -client.events 2000
	scripts/prosody13 go test -count=1 -timeout 30m ./sdk/server/prosody
	go test -run '^$$' -bench . -benchtime 1x ./sdk/server/prosody
	PAM_SERVER=prosody scripts/prosody13 go test -count=1 -timeout 40m ./sdk/client -client.events 2000

# personalities runs the client's tests against servers that interpret XEP-0376
# differently.
PERSONALITIES = roster-order net typo amnesia forger racing priority libervia libervia-ejabberd
personalities:
	@scripts/need
	@for p in $(PERSONALITIES); do echo "== $$p"; PAM_SERVER=mem:$$p go test -count=1 -timeout 30m ./sdk/client || exit 1; done

# soak runs for hours everything that the tests only sample, with a new seed:
# the schedules of `make test`, natively and in the browser, are always the same.
# SEED=n repeats a run, and in the browser every failure is injected SOAK times.
SOAK ?= 3
soak: soak-go soak-browser personalities

soak-go:
	@scripts/need
	SOAK=1 PAM_SEED=$(SEED) go test -count=1 -v -timeout 24h -run 'TestCut|TestSchedules|TestStoreFaults' ./sdk/client
	go test -count=1 -v -timeout 24h -run 'TestSchedules' ./sdk/internal/listsync -listsync.seed=$(or $(SEED),0) -listsync.schedules=1000000
	go test -count=1 -v -timeout 24h -run 'TestSchedules' ./sdk/internal/privatepep -privatepep.schedules=100000
	go test -count=1 -v -timeout 24h -run 'TestSchedules' ./sdk/internal/catchup -catchup.seed=$(or $(SEED),0) -catchup.schedules=1000000
	go test -count=1 -v -timeout 24h -run 'TestSchedules' ./sdk/internal/inbox -inbox.seed=$(or $(SEED),0) -inbox.schedules=1000000

soak-browser: js bin/demo
	@scripts/need chromium prosody
	cd js && SOAK=$(SOAK) $(if $(SEED),SEED=$(SEED)) node --test --test-timeout=86400000 --test-concurrency=1 --test-reporter=spec test/browser/cuts.test.mjs test/browser/life.test.mjs test/browser/endings.test.mjs test/browser/schedules.test.mjs test/browser/inbox-schedules.test.mjs test/browser/hostile.test.mjs
	cd js && KILLS=50 $(if $(SEED),SEED=$(SEED)) node --test --test-timeout=86400000 --test-reporter=spec test/browser/kill.test.mjs
	cd js && KILLS=20 $(if $(SEED),SEED=$(SEED)) node --test --test-timeout=86400000 --test-reporter=spec test/browser/inbox-kill.test.mjs
	node js/test/soak/self-play.mjs

# mutants changes the code in many places, each of which a test must detect, and
# prints which schedule did. Then it draws MUTANTS small changes by SEED; a run that
# was ended continues where it stopped.
MUTANTS ?= 300
mutants: js bin/browsertest
	@scripts/need chromium
	go test -count=1 -v -timeout 60m -run '^TestMutants$$' ./sdk/internal/listsync ./sdk/internal/privatepep ./sdk/internal/inbox ./sdk/internal/catchup
	go test -count=1 -v -timeout 60m -run '^TestMutants$$' ./sdk/client -client.mutants .
	go run ./sdk/internal/mutate/drawn -seed $(or $(SEED),1) -n $(MUTANTS)

# bench prints ratios within one run, because machines differ and are shared.
bench: bin/browsertest bench-browser bench-list bench-inbox bench-startup bench-memory
	go test -run '^$$' -bench . ./sdk/internal/element ./sdk/internal/listsync ./sdk/internal/stream
	GOOS=js GOARCH=wasm go test -count=1 -exec "$(CURDIR)/bin/browsertest" -run '^$$' -bench . ./wasm/idb

# bench-browser sends many stanzas to the built package and to other libraries in
# one run, and measures the cost of one stanza of each kind.
bench-browser: js
	@scripts/need chromium
	node js/bench/run.mjs
	node js/bench/cost.mjs

# fuzz runs every fuzzer for FUZZTIME. Without a limit the minimizer would use all of it.
FUZZTIME ?= 60s
FUZZERS = internal/element/FuzzParse internal/element/FuzzEncode internal/sasl/FuzzSCRAM internal/stream/FuzzMessage internal/listsync/FuzzParse internal/pubsub/FuzzParse internal/pubsub/FuzzHTML internal/pubsub/FuzzURI client/FuzzOptions internal/engine/FuzzRecords server/mem/FuzzParse internal/hostmeta/FuzzJSON internal/hostmeta/FuzzHostMeta store/file/FuzzDecode
fuzz:
	@for f in $(FUZZERS); do \
		echo "== $$f"; \
		go test -run '^$$' -fuzz "^$${f##*/}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x ./sdk/$${f%/*} || exit 1; \
	done

# bench-list measures a long list, and bench-inbox the events of an inbox; both compare
# it with plain JavaScript.
bench-list: js
	@scripts/need chromium
	node js/bench/list.mjs
bench-inbox: js
	@scripts/need chromium
	node js/bench/inbox.mjs

# bench-startup measures a page from its navigation to the list, beside strophe.js and @xmpp/client.
bench-startup: js
	@scripts/need chromium
	node js/bench/startup.mjs

# bench-memory measures what one tab and five tabs with a connected client need.
bench-memory: js bin/demo
	@scripts/need chromium
	node js/bench/memory.mjs

# matrix installs the packed package in every tool of js/docs/tools.md, and opens the
# page that each one builds or serves.
matrix: js
	@scripts/need chromium
	node js/test/matrix/matrix.mjs $(TOOL)

# browsers runs the package and the demo page in Firefox ESR and WebKitGTK, as Debian
# packages them, against the in-memory server. PICTURES=folder keeps a picture of each.
browsers: js bin/demo
	@scripts/need firefox webkit
	cd js && CI=true $(if $(PICTURES),PICTURES="$(abspath $(PICTURES))") node --test --test-timeout=600000 --test-concurrency=1 --test-reporter=spec test/browsers/*.test.mjs

# size lists the largest packages of the client, and fails if it exceeds the budget
# of 1.00 MB with Brotli.
size: js
	node js/scripts/size.mjs

# lint checks Go and JavaScript. scripts/lint.mod pins staticcheck apart from go.mod,
# so that no program which uses the library requires it.
lint: js/node_modules/.stamp
	@scripts/need
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "lint: run gofmt -w on these"; exit 1; }
	go vet ./sdk/... ./demo/... ./wasm/browsertest ./wasm/jstext
	GOOS=js GOARCH=wasm go vet ./...
	go build -modfile=scripts/lint.mod -o bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./sdk/... ./demo/... ./wasm/browsertest
	GOOS=js GOARCH=wasm bin/staticcheck ./wasm/...
	js/node_modules/.bin/eslint --config js/eslint.config.mjs js wasm demo/web

wasm js: js/node_modules/.stamp
	@scripts/need
	node js/scripts/build.mjs

# docs writes the pages that are generated; a test fails if they are out of date.
docs: js
	node js/scripts/apidocs.mjs

# pictures takes the pictures of the demo that the README shows.
pictures: js bin/demo
	@scripts/need chromium
	node js/scripts/pictures.mjs

js/node_modules/.stamp: js/package.json js/package-lock.json
	@scripts/need
	cd js && npm ci --no-audit --no-fund --silent
	@touch $@

bin/%: FORCE
	@mkdir -p bin
	@go build -o bin/$* $(if $(filter demo,$*),./demo,./wasm/$*)

FORCE:

clean:
	rm -rf bin js/dist js/node_modules
