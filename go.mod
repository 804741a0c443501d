module xmpp-pam

go 1.26

require (
	github.com/coder/websocket v1.8.15
	github.com/hack-pad/safejs v0.1.0
	go.uber.org/goleak v1.3.0
	golang.org/x/text v0.34.0
	mellium.im/sasl v0.3.2
	mellium.im/xmlstream v0.15.4
	mellium.im/xmpp v0.23.0
	pgregory.net/rapid v1.3.0
)

require (
	golang.org/x/crypto v0.48.0 // indirect
	golang.org/x/mod v0.33.0 // indirect
	golang.org/x/net v0.50.0 // indirect
	golang.org/x/sync v0.19.0 // indirect
	golang.org/x/tools v0.42.0 // indirect
	mellium.im/reader v0.1.0 // indirect
)
