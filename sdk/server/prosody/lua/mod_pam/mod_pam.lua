-- SPDX-License-Identifier: MIT
--
-- mod_pam: XEP-0376 (Pubsub Account Management) for Prosody 0.12 and later. README.md says how to install
-- and configure it.
--
-- The account, not the device, is the subscriber: a client sends its request to its own account, the
-- account sends it to the service, then notifies every joined session, and answers the client last.
-- The list has an opaque version, so that a returning client receives only the changes.
--
-- A session is joined when it has sent presence with a priority of 0 or more, and either has requested
-- the list or announces urn:xmpp:pam:0 in its capabilities (XEP-0115).
--
-- A service can change only current rows, and add one row for a request of the account. Everything else
-- in its events is ignored.
--
-- Caveats:
--   Subscriptions made at the service without PAM are not in the list, unless another module calls record.
--   Capabilities are read from the answers to mod_pep's own query, because Prosody has no public table of
--   them. Without mod_pep only the list request joins a session.

local cache = require "util.cache";
local calculate_hash = require "util.caps".calculate_hash;
local id = require "util.id";
local jid = require "util.jid";
local st = require "util.stanza";
local throttle = require "util.throttle";

-- Subscriptions that an account may have.
local max_subscriptions = module:get_option_number("pam_max_subscriptions", 1000);
-- The largest length of a node's name, of a subid and of a service's address, in bytes.
local max_length = 1024;
-- Rows that all devices of an account together may receive in lists: at once, and per second. A row costs
-- the server more than a request costs the client.
local listed_rows, listed_rows_per_second = 50000, 2000;

local lists = module:require "list";
local changes = module:require "changes" (lists);
local requests = module:require "requests" (lists, changes, max_length);

local xmlns_pam = "urn:xmpp:pam:0";
local xmlns_archives_events = "urn:xmpp-pam:archives-all-events:0"; -- defined by this project, see README.md
local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_disco_info = "http://jabber.org/protocol/disco#info";
local xmlns_pubsub = "http://jabber.org/protocol/pubsub";
local xmlns_pubsub_errors = "http://jabber.org/protocol/pubsub#errors";
local xmlns_pubsub_event = "http://jabber.org/protocol/pubsub#event";

local known_states = { none = true, pending = true, subscribed = true, unconfigured = true };

-- Requests of clients.

local function answered(handler)
	return function (event)
		local ok, err = xpcall(handler, debug.traceback, event, jid.join(event.origin.username, module.host));
		if not ok then
			module:log("error", "Request not processed: %s", err);
			event.origin.send(st.error_reply(event.stanza, "wait", "internal-server-error"));
		end
		return true;
	end;
end

module:hook("account-disco-info", function (event)
	event.reply:tag("feature", { var = xmlns_pam }):up();
	if prosody.hosts[module.host].modules.mam then
		event.reply:tag("feature", { var = xmlns_archives_events }):up();
	end
end);

module:hook("iq-set/self/"..xmlns_pam..":pam", answered(function (event, account)
	local origin, stanza = event.origin, event.stanza;
	local function refuse(kind, condition, text)
		origin.send(st.error_reply(stanza, kind, condition, text, account));
	end
	local pam = stanza.tags[1];
	local subscribe = pam:get_child("subscribe", xmlns_pubsub);
	local unsubscribe = pam:get_child("unsubscribe", xmlns_pubsub);
	local operation = subscribe or unsubscribe;
	if not operation or (subscribe and unsubscribe) then
		return refuse("modify", "bad-request", "One subscribe or unsubscribe element is needed");
	end
	local address = pam.attr.jid or pam.attr.service; -- XEP-0376 §3.2: prose and example differ
	local service = address and jid.prep(address);
	if not service then
		return refuse("modify", address and "jid-malformed" or "bad-request",
			"The jid attribute must be the address of the service");
	end
	if not operation.attr.jid or jid.prep(operation.attr.jid) ~= account then
		origin.send(st.error_reply(stanza, "modify", "bad-request",
			"Only the account's own bare JID can be subscribed", account)
			:tag("invalid-jid", { xmlns = xmlns_pubsub_errors }));
		return;
	end
	local node, subid = operation.attr.node or "", operation.attr.subid;
	if subid == "" then subid = nil; end
	if #service > max_length or #node > max_length or #(subid or "") > max_length then
		return refuse("modify", "policy-violation",
			("Service, node and subid may have %d bytes each"):format(max_length));
	end
	changes.flush(origin.username);
	if subscribe then
		local list = lists.load(origin.username);
		if list.standing + #requests.subscribes(origin.username) >= max_subscriptions then
			return refuse("wait", "resource-constraint",
				("The account may have %d subscriptions; unsubscribe from some first"):format(max_subscriptions));
		end
	end
	local request = {
		origin = origin, reply = st.reply(stanza), username = origin.username, service = service,
		operation = operation.name, node = node, subid = subid,
	};
	if not requests.send(request, operation, pam:get_child("options", xmlns_pubsub)) then
		refuse("wait", "resource-constraint", "Too many requests of the account are under way; try again later");
	end
end));

local listings = cache.new(10000); -- username → throttle of the rows in lists

local function may_list(username, count)
	local limit = listings:get(username) or throttle.create(listed_rows, listed_rows / listed_rows_per_second);
	listings:set(username, limit);
	return limit:poll(math.min(count, listed_rows));
end

module:hook("iq-get/self/"..xmlns_pam..":subscriptions", answered(function (event, account)
	local origin, stanza = event.origin, event.stanza;
	changes.flush(origin.username);
	local list = lists.load(origin.username);
	local known = lists.known_version(list, stanza.tags[1].attr.ver);
	local rows = lists.since(list, known);
	if not may_list(origin.username, #rows) then
		origin.send(st.error_reply(stanza, "wait", "resource-constraint",
			"The account asks for its list too often; try again in a minute", account));
		return;
	end
	local reply = st.reply(stanza);
	if known then
		local same = {}; -- rows of one version
		for i, row in ipairs(rows) do
			table.insert(same, row);
			if not rows[i + 1] or rows[i + 1].version ~= row.version then
				local message = changes.notification(origin.username, list, same);
				message.attr.to = origin.full_jid;
				origin.send(message);
				same = {};
			end
		end
	else
		reply:tag("subscriptions", { xmlns = xmlns_pam, ver = lists.token(list, list.version) });
		for _, row in ipairs(rows) do
			reply:tag("subscription", { service = row.service, node = row.node, jid = account,
				subscription = row.state, subid = row.subid }):up();
		end
	end
	origin.pam_listed = true;
	origin.send(reply);
end));

-- For other modules of the server: records changes that were made at one service without a request of the
-- account, as one version, and notifies the joined sessions. The changes are { node, subid, state }.
function module.environment.record(username, service, received)
	changes.flush(username);
	changes.record(username, lists.load(username), service, received);
end

-- Stanzas of services.

module:hook("iq/bare", function (event)
	local origin, reply = event.origin, event.stanza;
	if reply.attr.type ~= "result" and reply.attr.type ~= "error" then return; end
	local username = reply.attr.to and jid.node(reply.attr.to) or origin.username;
	-- mod_s2s marks the origin of stanzas that it bounces; without mod_s2s the origin is the host itself.
	local bounced = origin.dummy
		or origin == prosody.hosts[module.host] and not prosody.hosts[jid.host(reply.attr.from)];
	if requests.answered(username, reply, bounced) then return true; end
end, 10);

local function observe(username, service, event)
	local list = lists.load(username);
	local asked = requests.asked(username, service);
	if not lists.knows(list, service) and not next(asked) then return; end
	local account = jid.join(username, module.host);
	local received = {};
	for tag in event:childtags() do
		local node, subid, state, subscriber = tag.attr.node or "", nil, nil, nil;
		if tag.name == "subscription" then
			subid, state, subscriber = tag.attr.subid, tag.attr.subscription, tag.attr.jid;
		elseif tag.name == "delete" then
			state = "none";
		end
		if subid == "" then subid = nil; end
		if known_states[state] and #(subid or "") <= max_length
		and (asked[node] or lists.has_node(list, service, node))
		and (not subscriber or subscriber == account or jid.prep(subscriber) == account) then
			table.insert(received, { node = node, subid = subid, state = state, event = true, request = asked[node] });
		end
	end
	if #received > 0 then changes.record_event(username, list, service, received); end
end

-- Runs before delivery (mod_message, -1) and after archiving (mod_mam, 0).
module:hook("message/bare", function (event)
	local stanza = event.stanza;
	local pubsub_event = stanza.attr.type ~= "error" and stanza:get_child("event", xmlns_pubsub_event);
	local username = stanza.attr.to and jid.node(stanza.attr.to) or event.origin.username;
	if not pubsub_event or not username then return; end
	local ok, err = xpcall(observe, debug.traceback, username, stanza.attr.from, pubsub_event);
	if not ok then module:log("error", "Event of %s not processed: %s", stanza.attr.from, err); end
end, -0.5);

module:hook_global("server-stopping", changes.flush_all);
module.unload = changes.flush_all;

-- XEP-0376 §3.7: events of the services in the list are archived, whatever their type, except states of
-- subscriptions, which the list contains. Only events to the bare JID: what +notify sends to full JIDs is
-- a copy. A service may send the last item before its answer.
module:hook("archive-should-store", function (event)
	local stanza = event.stanza;
	local kind, service = stanza.attr.type, stanza.attr.from;
	local username, _, resource = jid.split(stanza.attr.to);
	local pubsub_event = stanza:get_child("event", xmlns_pubsub_event);
	if kind == "error" or kind == "groupchat" or not username or resource
	or not pubsub_event or pubsub_event:get_child("subscription") then return; end
	local ok, list = pcall(lists.load, username);
	if ok and (lists.knows(list, service) or next(requests.asked(username, service))) then return true; end
end, 1);

-- When an account is deleted, it is unsubscribed at the services: a new account of the same name would
-- receive its events. No code waits for the answers.
module:hook_global("user-deleted", function (event)
	local username = event.username;
	if event.host ~= module.host then return; end
	local account = jid.join(username, module.host);
	changes.flush(username);
	local ok, list = pcall(lists.load, username);
	if not ok then
		module:log("error", "Subscriptions of the deleted account %s remain at the services: %s", username, list);
	end
	local rows = ok and lists.since(list) or {};
	for _, request in ipairs(requests.subscribes(username)) do table.insert(rows, request); end
	for _, row in ipairs(rows) do
		if row.service ~= account then
			module:send(st.iq({ type = "set", id = id.medium(), from = account, to = row.service })
				:tag("pubsub", { xmlns = xmlns_pubsub })
					:tag("unsubscribe", { node = row.node, jid = account, subid = row.subid }):reset());
		end
	end
	requests.forget(username);
	changes.forget(username);
	lists.delete(username);
end);

-- Sessions that support PAM.

local capable_hashes = cache.new(10000); -- caps hash → whether it contains urn:xmpp:pam:0

module:hook("presence/bare", function (event)
	local origin, stanza = event.origin, event.stanza;
	local caps = stanza:get_child("c", xmlns_caps);
	if stanza.attr.to or stanza.attr.type or not caps then return; end
	if caps.attr.hash == "sha-1" and caps.attr.ver then
		origin.pam_capable = capable_hashes:get(caps.attr.ver);
	end
end, 11);

module:hook("iq-result/bare/disco", function (event)
	local origin, stanza = event.origin, event.stanza;
	local query = stanza:get_child("query", xmlns_disco_info);
	if stanza.attr.to or not query then return; end
	local capable = false;
	for feature in query:childtags("feature") do
		if feature.attr.var == xmlns_pam then capable = true; end
	end
	capable_hashes:set(calculate_hash(query.tags), capable);
	origin.pam_capable = capable;
end, 1);
