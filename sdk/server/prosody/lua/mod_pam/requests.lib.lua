-- SPDX-License-Identifier: MIT
--
-- The accounts' requests to services, and the answers of the services.
--
-- Requests are tracked here and not by module:send_iq: its promises hide exceptions, settle after a local
-- service has already sent events, and drop the request at the timeout, when a late success must still
-- be recorded.

local cache = require "util.cache";
local id = require "util.id";
local jid = require "util.jid";
local st = require "util.stanza";

local xmlns_pubsub = "http://jabber.org/protocol/pubsub";
local xmlns_stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";

-- Seconds until the client gets an error instead of the service's answer. Shorter than the time-outs of
-- clients, so that the error names the service.
local request_timeout = module:get_option_number("pam_request_timeout", 15);
-- Seconds in which the service's late answer is still recorded.
local late_window = 600;
-- Pending requests of one account, and the same number of requests whose answer is late.
local max_requests = 200;

-- Errors that mean that the subscription does not exist, so that an unsubscribe has succeeded.
local ended_conditions = { ["not-subscribed"] = true, ["item-not-found"] = true, gone = true };
-- Errors that mean that the service cannot be reached. That may be temporary, so only a second
-- unsubscribe, sent after the first has failed with such an error, removes the rows.
local unreachable_conditions = { ["remote-server-not-found"] = true, ["remote-server-timeout"] = true, ["service-unavailable"] = true };

local known_states = { none = true, pending = true, subscribed = true, unconfigured = true };

-- A request: username, service, operation, node, subid (nil if there is none), origin and reply (the
-- session to answer and the answer; nil after it was sent).
return function (lists, changes, max_length)
	local requests = {};

	-- username → { pending, late }, both id of the IQ sent → request. When pending is full, a new request is
	-- refused; when late is full, the oldest is dropped.
	local accounts = {};

	local function forget(username, iq_id)
		local own = accounts[username];
		own.pending:set(iq_id, nil);
		own.late:set(iq_id, nil);
		if own.pending:count() + own.late:count() == 0 then accounts[username] = nil; end
	end

	function requests.forget(username)
		accounts[username] = nil;
	end

	-- The subscribe requests of an account that may still be answered.
	function requests.subscribes(username)
		local found = {};
		local own = accounts[username];
		for _, kind in ipairs(own and { own.pending, own.late } or {}) do
			for request in kind:values() do
				if request.operation == "subscribe" then table.insert(found, request); end
			end
		end
		return found;
	end

	-- The subscribe requests to one service: node → request.
	function requests.asked(username, service)
		local asked = {};
		for _, request in ipairs(requests.subscribes(username)) do
			if request.service == service then asked[request.node] = request; end
		end
		return asked;
	end

	local function answer(request, reply)
		request.origin.send(reply);
		request.origin, request.reply = nil, nil; -- a late request is kept for a long time
	end

	local function refuse(request, condition, text, by)
		local reply = request.reply;
		reply.attr.type = "error";
		answer(request, reply:tag("error", { type = "wait", by = by })
			:tag(condition, { xmlns = xmlns_stanzas }):up()
			:text_tag("text", text, { xmlns = xmlns_stanzas }):reset());
	end

	-- The rows that an unsubscribe applies to.
	local function rows_of(request, list)
		local found = {};
		for _, row in ipairs(lists.standing(list, request.service, request.node)) do
			if not request.subid or not row.subid or row.subid == request.subid then table.insert(found, row); end
		end
		return found;
	end

	local function record(request, list, subid, state)
		changes.record(request.username, list, request.service, { { node = request.node, subid = subid, state = state } });
	end

	local function conclude_error(request, reply, bounced)
		local problem = reply:get_child("error");
		problem = problem and st.clone(problem) or st.stanza("error", { type = "cancel" })
			:tag("undefined-condition", { xmlns = xmlns_stanzas }):reset();
		-- Overwrites what the service sent: the client would take an error in this server's name for one of this server.
		if not bounced then problem.attr.by = request.service; end
		if request.operation == "unsubscribe" then
			local ended, unreachable = false, bounced;
			for _, condition in ipairs(problem.tags) do
				ended = ended or ended_conditions[condition.name] or request.subid and condition.name == "invalid-subid";
				unreachable = unreachable or unreachable_conditions[condition.name];
			end
			local list = lists.load(request.username);
			local rows = rows_of(request, list);
			if #rows > 0 and (ended or unreachable and request.again) then
				record(request, list, request.subid, "none");
				if request.reply then answer(request, request.reply); end
				return;
			end
			for _, row in ipairs(rows) do row.unreachable = unreachable; end
		end
		if request.reply then
			request.reply.attr.type = "error";
			answer(request, request.reply:add_child(problem));
		end
	end

	local function conclude(request, reply, bounced)
		if reply.attr.type == "error" then return conclude_error(request, reply, bounced); end
		-- Some services answer an unsubscribe, or even a subscribe, with an empty result.
		local pubsub = reply:get_child("pubsub", xmlns_pubsub);
		local subscription = pubsub and pubsub:get_child("subscription", xmlns_pubsub);
		local attr = subscription and subscription.attr or {};
		local subid = attr.subid ~= "" and attr.subid or request.subid;
		if subid and #subid > max_length then subid = nil; end
		local state = request.operation == "unsubscribe" and "none"
			or known_states[attr.subscription] and attr.subscription or "subscribed";
		record(request, lists.load(request.username), subid, state);
		if request.reply then answer(request, request.reply); end
	end

	-- Runs a handler, so that the client is answered even if the handler fails.
	local function safely(request, handler, ...)
		local ok, err = xpcall(handler, debug.traceback, request, ...);
		if ok then return; end
		module:log("error", "Request to %s not concluded: %s", request.service, err);
		if request.reply then
			refuse(request, "internal-server-error", "The list cannot be read or stored; the service may have made the change",
				jid.join(request.username, module.host));
		end
	end

	-- Handles the answer of a service, and reports whether it is one. Bounced: this server answers for a
	-- domain that it cannot reach.
	function requests.answered(username, reply, bounced)
		local own = accounts[username];
		local iq_id = reply.attr.id;
		local request = own and (own.pending:get(iq_id) or own.late:get(iq_id));
		if not request or request.service ~= reply.attr.from then return false; end
		changes.flush(username);
		forget(username, iq_id);
		safely(request, conclude, reply, bounced);
		return true;
	end

	local function time_out(request)
		local text = ("%s has not answered within %d seconds"):format(request.service, request_timeout);
		if request.operation == "unsubscribe" then
			changes.flush(request.username);
			local list = lists.load(request.username);
			local rows = rows_of(request, list);
			if #rows > 0 and request.again then
				record(request, list, request.subid, "none");
				return answer(request, request.reply);
			end
			for _, row in ipairs(rows) do row.unreachable = true; end
			if #rows > 0 then text = text..". Unsubscribing again removes the subscription from the list"; end
		end
		refuse(request, "remote-server-timeout", text, request.service);
	end

	-- Sends the traditional XEP-0060 request from the account. Reports whether it was sent: it is not if too
	-- many requests are pending.
	function requests.send(request, operation, options)
		local username, iq_id = request.username, id.medium();
		local own = accounts[username];
		if not own then
			own = { pending = cache.new(max_requests, false), late = cache.new(max_requests) };
			accounts[username] = own;
		end
		if not own.pending:set(iq_id, request) then return false; end
		if request.operation == "unsubscribe" then
			for _, row in ipairs(rows_of(request, lists.load(username))) do
				request.again = request.again or row.unreachable;
			end
		end
		local iq = st.iq({ type = "set", id = iq_id, from = jid.join(username, module.host), to = request.service })
			:tag("pubsub", { xmlns = xmlns_pubsub })
				:add_child(st.clone(operation));
		if options then iq:add_child(st.clone(options)); end
		iq:reset();
		module:add_timer(request_timeout, function ()
			if accounts[username] ~= own then return; end
			if own.pending:get(iq_id) then
				own.pending:set(iq_id, nil);
				own.late:set(iq_id, request);
				safely(request, time_out);
				return late_window;
			end
			forget(username, iq_id);
		end);
		module:send(iq);
		return true;
	end

	return requests;
end
