-- SPDX-License-Identifier: MIT
--
-- mod_pam_control: lets the program that started this Prosody create accounts and nodes, publish, and end
-- sessions.
-- For tests and development only. Loaded on the pubsub component; every request needs the secret.

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

-- Each command returns true, or nil or false with the reason.
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
	return pubsub.service:create(arguments.node, true, {
		access_model = arguments.access_model,
		max_items = "max",
	});
end

function commands.publish(arguments)
	local payload, reason = xml.parse(arguments.payload);
	if not payload then return nil, "the payload is not well-formed: "..tostring(reason); end
	local item = st.stanza("item", { xmlns = "http://jabber.org/protocol/pubsub", id = arguments.item })
		:add_child(payload);
	return pubsub.service:publish(arguments.node, true, arguments.item, item);
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
	if called and ok then return 204; end
	event.response.status_code = 422;
	return tostring(not called and ok or reason or "refused without a reason");
end

module:provides("http", {
	name = "pam_control";
	default_path = "/pam-control";
	route = { ["POST /*"] = handle };
});
