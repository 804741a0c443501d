-- SPDX-License-Identifier: MIT
--
-- mod_pam: XEP-0376 (Pubsub Account Management) for Prosody 0.12 and later.
--
-- The account, not the device, is the subscriber: a client asks its own account to subscribe or
-- unsubscribe, the account asks the service, every joined session is notified, and only then the
-- client is answered. The list has an opaque version, so that a returning client learns only what
-- changed.
--
-- A session is joined when it has sent presence with a priority of 0 or more, and either asked for the
-- list or announces urn:xmpp:pam:0 in its capabilities (XEP-0115).
--
-- Caveats:
--   Subscriptions made at the service without PAM are not seen.
--   Capabilities are learned from the answers to mod_pep's own query, because Prosody keeps no public
--   table of them. Without mod_pep only the list request joins a session.

local cache = require "util.cache";
local calculate_hash = require "util.caps".calculate_hash;
local id = require "util.id";
local jid = require "util.jid";
local st = require "util.stanza";

local xmlns_pam = "urn:xmpp:pam:0";
local xmlns_caps = "http://jabber.org/protocol/caps";
local xmlns_disco_info = "http://jabber.org/protocol/disco#info";
local xmlns_pubsub = "http://jabber.org/protocol/pubsub";
local xmlns_pubsub_errors = "http://jabber.org/protocol/pubsub#errors";
local xmlns_pubsub_event = "http://jabber.org/protocol/pubsub#event";

-- Seconds a client waits for the service, and seconds the service's late answer is still recorded.
local request_timeout = module:get_option_number("pam_request_timeout", 20);
local late_window = module:get_option_number("pam_late_window", 600);
-- Ended subscriptions that are remembered per account. Whoever was away for longer gets the full list.
local max_ended = module:get_option_number("pam_max_ended", 500);

local store = module:open_store("pam");

-- One record per account:
--   epoch, version: together the version token, "epoch-version"
--   floor: changes up to this version may be forgotten, so older tokens are unknown
--   entries: { service, node, subid?, state, version } in the order of their last change;
--            an ended subscription stays as state "none", so that deltas can tell of it

local function find_list(username)
	local list, err = store:get(username);
	if err then error(("cannot read the subscriptions of %s: %s"):format(username, err)); end
	return list;
end

local function save_list(username, list)
	local ok, err = store:set(username, list);
	if not ok then error(("cannot store the subscriptions of %s: %s"):format(username, err)); end
end

local function load_list(username)
	local list = find_list(username);
	if not list then
		list = { epoch = id.short(), version = 0, floor = 0, entries = {} };
		save_list(username, list);
	end
	return list;
end

local function token(list, version)
	return ("%s-%d"):format(list.epoch, version);
end

-- The number behind a client's version token, or nil if it says nothing to us.
local function known_version(list, ver)
	local epoch, number = (ver or ""):match("^(.*)%-(%d+)$");
	number = tonumber(number);
	if epoch == list.epoch and number >= list.floor and number <= list.version then
		return number;
	end
end

-- The entries that still stand, of a service or of one node of it.
local function standing(list, service, node)
	local found = {};
	for _, entry in ipairs(list.entries) do
		if entry.service == service and entry.state ~= "none" and (node == nil or entry.node == node) then
			table.insert(found, entry);
		end
	end
	return found;
end

-- Gives one key its state and the next version, at the end of the history.
local function touch(list, service, node, subid, state)
	for i, entry in ipairs(list.entries) do
		if entry.service == service and entry.node == node and entry.subid == subid then
			table.remove(list.entries, i);
			break;
		end
	end
	list.version = list.version + 1;
	local entry = { service = service, node = node, subid = subid, state = state, version = list.version };
	table.insert(list.entries, entry);
	return entry;
end

local function forget_oldest_ended(list)
	local ended = 0;
	for i = #list.entries, 1, -1 do
		local entry = list.entries[i];
		if entry.state == "none" then
			ended = ended + 1;
			if ended > max_ended then
				list.floor = math.max(list.floor, entry.version);
				table.remove(list.entries, i);
			end
		end
	end
end

local function notification(account, list, entry)
	return st.message({ type = "headline", from = account, id = id.medium() })
		:tag("notify", { xmlns = xmlns_pam, ver = token(list, entry.version), service = entry.service })
			:tag("subscription", { xmlns = xmlns_pubsub, node = entry.node, jid = account,
				subscription = entry.state, subid = entry.subid }):reset();
end

local function notify_joined(username, list, entries)
	local account = jid.join(username, module.host);
	local user = prosody.bare_sessions[account];
	for _, session in pairs(user and user.sessions or {}) do
		if session.presence and session.priority >= 0 and (session.pam_listed or session.pam_capable) then
			for _, entry in ipairs(entries) do
				local message = notification(account, list, entry);
				message.attr.to = session.full_jid;
				session.send(message);
			end
		end
	end
end

-- Stores a state a service has told us, and notifies the joined sessions. A state without subid speaks
-- of every subscription to the node; one with a subid replaces an entry stored without.
local function record(username, service, node, subid, state)
	local list = load_list(username);
	local changed = {};
	for _, entry in ipairs(standing(list, service, node)) do
		if not subid then
			table.insert(changed, touch(list, service, node, entry.subid, state));
		elseif not entry.subid then
			table.insert(changed, touch(list, service, node, nil, "none"));
		end
	end
	if subid or #changed == 0 then
		table.insert(changed, touch(list, service, node, subid, state));
	end
	forget_oldest_ended(list);
	save_list(username, list);
	notify_joined(username, list, changed);
end

-- Requests under way, by the id of the IQ sent to the service. Own bookkeeping instead of
-- module:send_iq: its promises swallow exceptions, settle after a local service has already sent
-- events, and forget the request at the timeout, when a late success must still be recorded.
local function answer(request, reply)
	if request.answered then return; end
	request.answered = true;
	request.origin.send(reply);
end

local function answer_timeout(request)
	answer(request, st.error_reply(request.stanza, "wait", "remote-server-timeout",
		"The service has not answered in time; the subscription list will tell if it does later", request.service));
end

local requests = cache.new(1000, function (_, request) answer_timeout(request); end);

local function conclude(request, reply)
	if reply.attr.type == "error" then
		local problem = reply:get_child("error");
		if problem then
			problem = st.clone(problem);
		else
			problem = st.stanza("error", { type = "cancel" })
				:tag("undefined-condition", { xmlns = "urn:ietf:params:xml:ns:xmpp-stanzas" }):up();
		end
		problem.attr.by = problem.attr.by or request.service;
		local failure = st.reply(request.stanza);
		failure.attr.type = "error";
		answer(request, failure:add_child(problem));
		return;
	end
	-- Some services answer an unsubscribe, or even a subscribe, with an empty result.
	local pubsub = reply:get_child("pubsub", xmlns_pubsub);
	local subscription = pubsub and pubsub:get_child("subscription", xmlns_pubsub);
	local told = subscription and subscription.attr or {};
	local state = request.operation == "unsubscribe" and "none" or told.subscription or "subscribed";
	record(request.username, request.service, request.node, told.subid or request.subid, state);
	answer(request, st.reply(request.stanza));
end

-- Sends the traditional XEP-0060 request, from the account.
local function forward(request, operation, options)
	local iq_id = id.medium();
	local account = jid.join(request.username, module.host);
	local iq = st.iq({ type = "set", id = iq_id, from = account, to = request.service })
		:tag("pubsub", { xmlns = xmlns_pubsub })
			:add_child(st.clone(operation));
	if options then iq:add_child(st.clone(options)); end
	iq:reset();
	requests:set(iq_id, request);
	module:add_timer(request_timeout, function ()
		if requests:get(iq_id) ~= request then return; end
		if not request.answered then
			answer_timeout(request);
			return late_window;
		end
		requests:set(iq_id, nil);
	end);
	module:send(iq);
end

module:hook("iq/bare", function (event)
	local origin, reply = event.origin, event.stanza;
	if reply.attr.type ~= "result" and reply.attr.type ~= "error" then return; end
	local request = requests:get(reply.attr.id);
	local username = reply.attr.to and jid.node(reply.attr.to) or origin.username;
	if not request or request.service ~= reply.attr.from or request.username ~= username then return; end
	requests:set(reply.attr.id, nil);
	local ok, err = xpcall(conclude, debug.traceback, request, reply);
	if not ok then
		module:log("error", "Answer of %s not processed: %s", request.service, err);
		answer(request, st.error_reply(request.stanza, "wait", "internal-server-error"));
	end
	return true;
end, 10);

-- What clients ask.

local function answered(handler)
	return function (event)
		local ok, err = xpcall(handler, debug.traceback, event);
		if not ok then
			module:log("error", "Request not processed: %s", err);
			event.origin.send(st.error_reply(event.stanza, "wait", "internal-server-error"));
		end
		return true;
	end;
end

module:hook("account-disco-info", function (event)
	event.reply:tag("feature", { var = xmlns_pam }):up();
end);

module:hook("iq-set/self/"..xmlns_pam..":pam", answered(function (event)
	local origin, stanza = event.origin, event.stanza;
	local account = jid.join(origin.username, module.host);
	local pam = stanza.tags[1];
	local subscribe = pam:get_child("subscribe", xmlns_pubsub);
	local unsubscribe = pam:get_child("unsubscribe", xmlns_pubsub);
	local operation = subscribe or unsubscribe;
	if not operation or (subscribe and unsubscribe) then
		origin.send(st.error_reply(stanza, "modify", "bad-request",
			"One subscribe or unsubscribe element is needed", account));
		return;
	end
	local address = pam.attr.jid or pam.attr.service; -- XEP-0376 §3.2: prose and example differ
	local service = address and jid.prep(address);
	if not service then
		origin.send(st.error_reply(stanza, "modify", address and "jid-malformed" or "bad-request",
			"The jid attribute must be the address of the service", account));
		return;
	end
	if not operation.attr.jid or jid.prep(operation.attr.jid) ~= account then
		origin.send(st.error_reply(stanza, "modify", "bad-request",
			"Only the account's own bare JID can be subscribed", account)
			:tag("invalid-jid", { xmlns = xmlns_pubsub_errors }));
		return;
	end
	forward({
		origin = origin, stanza = stanza, username = origin.username, service = service,
		operation = operation.name, node = operation.attr.node or "", subid = operation.attr.subid,
	}, operation, pam:get_child("options", xmlns_pubsub));
end));

module:hook("iq-get/self/"..xmlns_pam..":subscriptions", answered(function (event)
	local origin, stanza = event.origin, event.stanza;
	local account = jid.join(origin.username, module.host);
	local list = load_list(origin.username);
	local known = known_version(list, stanza.tags[1].attr.ver);
	local reply = st.reply(stanza);
	if known then
		for _, entry in ipairs(list.entries) do
			if entry.version > known then
				local message = notification(account, list, entry);
				message.attr.to = origin.full_jid;
				origin.send(message);
			end
		end
	else
		reply:tag("subscriptions", { xmlns = xmlns_pam, ver = token(list, list.version) });
		for _, entry in ipairs(list.entries) do
			if entry.state ~= "none" then
				reply:tag("subscription", { service = entry.service, node = entry.node, jid = account,
					subscription = entry.state, subid = entry.subid }):up();
			end
		end
	end
	origin.pam_listed = true;
	origin.send(reply);
end));

-- Which sessions can do PAM.

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

-- What services tell the account. Only those in its list are believed.

local function observe(username, service, event)
	local list = find_list(username);
	if not list or #standing(list, service) == 0 then return; end
	for change in event:childtags("subscription") do
		local node, subid, state = change.attr.node or "", change.attr.subid, change.attr.subscription;
		local subscriber = change.attr.jid and jid.prep(change.attr.jid);
		local changes = state ~= nil;
		for _, entry in ipairs(standing(list, service, node)) do
			if entry.subid == subid and entry.state == state then changes = false; end
		end
		if changes and (not change.attr.jid or subscriber == jid.join(username, module.host)) then
			record(username, service, node, subid, state);
		end
	end
	for deletion in event:childtags("delete") do
		if #standing(list, service, deletion.attr.node or "") > 0 then
			record(username, service, deletion.attr.node or "", nil, "none");
		end
	end
end

-- Before delivery (mod_message, -1), after the archive has decided (mod_mam, 0).
module:hook("message/bare", function (event)
	local stanza = event.stanza;
	local change = stanza.attr.type ~= "error" and stanza:get_child("event", xmlns_pubsub_event);
	local username = stanza.attr.to and jid.node(stanza.attr.to) or event.origin.username;
	if not change or not username then return; end
	local ok, err = xpcall(observe, debug.traceback, username, stanza.attr.from, change);
	if not ok then module:log("error", "Event of %s not processed: %s", stanza.attr.from, err); end
end, -0.5);

-- XEP-0376 §3.7: events of the services in the list are archived, though they are headlines. Only those
-- to the bare JID: what +notify sends to full JIDs is a copy.
module:hook("archive-should-store", function (event)
	local stanza = event.stanza;
	local username, _, resource = jid.split(stanza.attr.to);
	if stanza.attr.type ~= "headline" or not username or resource
	or not stanza:get_child("event", xmlns_pubsub_event) then return; end
	local ok, list = pcall(find_list, username);
	if ok and list and #standing(list, stanza.attr.from) > 0 then return true; end
end, 1);
