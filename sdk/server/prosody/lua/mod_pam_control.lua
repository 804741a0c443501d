-- SPDX-License-Identifier: MIT
--
-- mod_pam_control: lets the program that started this Prosody create accounts and nodes, publish, subscribe
-- accounts, and end sessions.
-- For tests and development only. Loaded on the pubsub component; every request needs the secret.

local array = require "util.array";
local jid = require "util.jid";
local json = require "util.json";
local nodeprep = require "util.encodings".stringprep.nodeprep;
local sessionmanager = require "core.sessionmanager";
local st = require "util.stanza";
local usermanager = require "core.usermanager";
local xml = require "util.xml";

module:depends("http");
local pubsub = module:depends("pubsub");

local host = assert(module:get_option_string("pam_control_host"), "pam_control_host is not set");
local secret = assert(module:get_option_string("pam_control_secret"), "pam_control_secret is not set");

local function create(node, access_model)
	return pubsub.service:create(node, true, { access_model = access_model, max_items = "max" });
end

-- Each command returns true or a table, which is the answer, or nil or false with the reason.
local commands = {};

function commands.ping()
	return true;
end

function commands.account(arguments)
	local localpart = nodeprep(arguments.localpart);
	if not localpart or localpart == "" then return nil, "the localpart is not valid"; end
	return usermanager.create_user(localpart, arguments.password, host);
end

function commands.delete_account(arguments)
	return usermanager.delete_user(arguments.localpart, host);
end

function commands.node(arguments)
	return create(arguments.node, arguments.access_model);
end

function commands.publish(arguments)
	local payload, reason = xml.parse(arguments.payload);
	if not payload then return nil, "the payload is not well-formed: "..tostring(reason); end
	local item = st.stanza("item", { xmlns = "http://jabber.org/protocol/pubsub", id = arguments.item })
		:add_child(payload);
	return pubsub.service:publish(arguments.node, true, arguments.item, item);
end

function commands.subscriptions(arguments)
	local ok, found = pubsub.service:get_subscriptions(nil, true, jid.join(arguments.localpart, host));
	if not ok then return nil, found; end
	local nodes = array();
	for _, subscription in ipairs(found) do nodes:push(subscription.node); end
	return { nodes = nodes };
end

-- Nodes that the command subscribe has created, and that have been changed by it only: name → subscribers.
-- They are stored in one file, because mod_pubsub writes one for each node at each change, which takes too
-- long for thousands of nodes.
local feeds_store = module:open_store("pam_control_feeds");
local feeds = {};
local bulk = false; -- the command runs

-- The file has the names of the nodes for each subscriber, and all names. Storing tables takes too long.
local function save_feeds()
	local names = { all = {} };
	for node, subscribers in pairs(feeds) do
		table.insert(names.all, node);
		for account in pairs(subscribers) do
			names[account] = names[account] or {};
			table.insert(names[account], node);
		end
	end
	for key, list in pairs(names) do names[key] = table.concat(list, "\n"); end
	return feeds_store:set("feeds", names);
end

local node_store = pubsub.service.config.nodestore;

pubsub.service.config.nodestore = {
	set = function (_, node, data)
		if bulk and feeds[node] then
			feeds[node] = data.subscribers;
			return true;
		end
		local ok, err = node_store:set(node, data);
		if not ok or not feeds[node] then return ok, err; end
		feeds[node] = nil;
		return save_feeds();
	end;
};

local function in_bulk(change)
	bulk = true;
	local called, ok, reason = pcall(change);
	bulk = false;
	if not called then error(ok, 0); end
	return ok, reason;
end

local function create_feed(node)
	if node:find("\n") then return nil, "its name has a line break"; end
	feeds[node] = {};
	local ok, reason = create(node, "open");
	if not ok then feeds[node] = nil; end
	return ok, reason;
end

in_bulk(function ()
	local stored, err = feeds_store:get("feeds");
	if err then error("the feeds cannot be read: "..err); end
	stored = stored or { all = "" };
	for node in stored.all:gmatch("[^\n]+") do
		if not pubsub.service.nodes[node] then assert(create_feed(node)); end
	end
	stored.all = nil;
	for account, nodes in pairs(stored) do
		for node in nodes:gmatch("[^\n]+") do
			if feeds[node] then assert(pubsub.service:add_subscription(node, true, account)); end
		end
	end
end);

-- The number of changes that are recorded as one version of the account's list, which is one notification.
local per_version = 250;

local function record(localpart, changes)
	local version = {};
	for i, change in ipairs(changes) do
		table.insert(version, change);
		if #version == per_version or i == #changes then
			prosody.hosts[host].modules.pam.record(localpart, module.host, version);
			version = {};
		end
	end
end

function commands.subscribe(arguments)
	local service, account = pubsub.service, jid.join(arguments.localpart, host);
	local changes = {};
	local function each(nodes, state, change)
		for _, node in ipairs(nodes) do
			local ok, reason = change(node);
			if not ok then return nil, node..": "..reason; end
			table.insert(changes, { node = node, state = state });
		end
		return true;
	end
	local ok, reason = in_bulk(function ()
		local ok, reason = each(arguments.subscribe, "subscribed", function (node)
			if not service.nodes[node] then
				local created, why = create_feed(node);
				if not created then return nil, why; end
			end
			return service:add_subscription(node, true, account);
		end);
		if not ok then return nil, reason; end
		return each(arguments.unsubscribe, "none", function (node)
			return service:remove_subscription(node, true, account);
		end);
	end);
	-- Also after an error, so that the list agrees with the service.
	if #changes > 0 then
		local stored, err = save_feeds();
		if not stored then return nil, err; end
		record(arguments.localpart, changes);
	end
	return ok, reason;
end

-- Does what mod_smacks does when the time for resumption has passed: undelivered stanzas are treated in the
-- usual way, and a client that tries to resume is told how many of its stanzas were handled.
function commands.end_session(arguments)
	local session = prosody.full_sessions[arguments.jid];
	if not session then return true; end
	local conn = session.conn;
	if not session.hibernating then
		sessionmanager.destroy_session(session, "Ended by mod_pam_control");
	end
	local watchdog = session.hibernating_watchdog;
	if watchdog then
		watchdog:cancel();
		watchdog:callback();
	elseif conn then
		conn:close();
	end
	return true;
end

local function handle(event, name)
	if event.request.headers.authorization ~= "Bearer "..secret then return 403; end
	local command, arguments = commands[name], json.decode(event.request.body);
	if not command or type(arguments) ~= "table" then return 400; end
	local called, ok, reason = pcall(command, arguments);
	if called and type(ok) == "table" then
		event.response.headers.content_type = "application/json";
		return json.encode(ok);
	end
	if called and ok then return 204; end
	event.response.status_code = 422;
	return tostring(not called and ok or reason or "refused without a reason");
end

module:provides("http", {
	name = "pam_control";
	default_path = "/pam-control";
	route = { ["POST /*"] = handle };
});
