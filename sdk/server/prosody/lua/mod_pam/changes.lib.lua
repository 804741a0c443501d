-- SPDX-License-Identifier: MIT
--
-- Changes of the subscription lists: storing them and notifying the joined sessions.
--
-- A change: node, subid (nil: every subscription to the node), state; a change from an event also has
-- event = true and request, the account's own subscribe request for that node, if there is one.

local cache = require "util.cache";
local id = require "util.id";
local jid = require "util.jid";
local st = require "util.stanza";
local throttle = require "util.throttle";

local xmlns_pam = "urn:xmpp:pam:0";
local xmlns_pubsub = "http://jabber.org/protocol/pubsub";

-- The number of versions that events may cause for one account at once. After that, each service may cause
-- one version a second, which contains all changes that the service sent in that second.
local event_burst = 20;

return function (lists)
	local changes = {};

	-- Builds one message with all rows that one version changed. All are of one service.
	local function notification(username, list, rows)
		local account = jid.join(username, module.host);
		local message = st.message({ type = "headline", from = account, id = id.medium() })
			:tag("notify", { xmlns = xmlns_pam, ver = lists.token(list, rows[1].version), service = rows[1].service });
		for _, row in ipairs(rows) do
			message:tag("subscription", { xmlns = xmlns_pubsub, node = row.node, jid = account,
				subscription = row.state, subid = row.subid }):up();
		end
		return message:reset();
	end
	changes.notification = notification;

	local function notify_joined(username, list, rows)
		local user = prosody.bare_sessions[jid.join(username, module.host)];
		local message;
		for _, session in pairs(user and user.sessions or {}) do
			if session.presence and session.priority >= 0 and (session.pam_listed or session.pam_capable) then
				message = message and st.clone(message) or notification(username, list, rows);
				message.attr.to = session.full_jid;
				session.send(message);
			end
		end
	end

	-- Reports whether an event may make this change: to a current row, or, once for each request, to a
	-- new row of a node that the account has requested.
	local function believed(standing, change)
		local same = false;
		for _, row in ipairs(standing) do
			if not change.subid or row.subid == change.subid then
				if row.state ~= change.state then return true; end
				same = true;
			elseif not row.subid then
				return true;
			end
		end
		local request = change.request;
		if same or change.state == "none" or not request or request.noted then
			return false;
		end
		request.noted = true;
		return true;
	end

	-- Stores the changes that a service sent, as one version, and notifies the joined sessions. A state
	-- without subid applies to every subscription to the node; one with a subid replaces a row without.
	function changes.record(username, list, service, received)
		local version = list.version + 1;
		local changed = {};
		local function put(node, subid, state)
			local row = lists.put(list, service, node, subid, state, version);
			if not changed[row] then
				changed[row] = true;
				table.insert(changed, row);
			end
		end
		for _, change in ipairs(received) do
			local standing = lists.standing(list, service, change.node);
			if not change.event or believed(standing, change) then
				for _, row in ipairs(standing) do
					if not change.subid then
						put(change.node, row.subid, change.state);
					elseif not row.subid then
						put(change.node, nil, "none");
					end
				end
				if change.subid or #standing == 0 then put(change.node, change.subid, change.state); end
			end
		end
		if #changed == 0 then return; end
		lists.sort(changed);
		lists.save(username, list, changed);
		notify_joined(username, list, changed);
	end

	local throttles = cache.new(10000); -- username → its throttle
	-- Changes of events that arrived while the throttle was empty: username → service → changes in order.
	local waiting = {};

	local function throttled(username)
		local limit = throttles:get(username) or throttle.create(event_burst, event_burst);
		throttles:set(username, limit);
		return not limit:poll(1);
	end

	-- Records the waiting changes of an account. Called before anything else is recorded or listed.
	function changes.flush(username)
		local services = waiting[username];
		if not services then return; end
		waiting[username] = nil;
		local ok, err = xpcall(function ()
			for service, received in pairs(services) do
				changes.record(username, lists.load(username), service, received);
			end
		end, debug.traceback);
		if not ok then module:log("error", "Events for %s not recorded: %s", username, err); end
	end

	function changes.flush_all()
		for username in pairs(waiting) do changes.flush(username); end
	end

	-- Records the changes of an event, immediately or within a second.
	function changes.record_event(username, list, service, received)
		if not waiting[username] and not throttled(username) then
			return changes.record(username, list, service, received);
		end
		if not waiting[username] then
			waiting[username] = {};
			module:add_timer(1, function () changes.flush(username); end);
		end
		local queue = waiting[username][service] or {};
		waiting[username][service] = queue;
		for _, change in ipairs(received) do table.insert(queue, change); end
	end

	function changes.forget(username)
		waiting[username] = nil;
		throttles:set(username, nil);
	end

	return changes;
end
