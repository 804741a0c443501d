-- SPDX-License-Identifier: MIT
--
-- The subscription lists of the accounts of one host, in memory and in storage.
--
-- A list in memory:
--   version: number of the last change
--   floor, tokens: tokens[n] is the random part of the token of version n, from floor to version. Without
--     it, a token could name a different list after a backup was restored.
--   services: service → { standing = number of current rows, nodes: node → { subid or "" → row } }
--   size: number of rows and tokens; standing: number of current rows
--   logged: number of changed rows stored after the snapshot; max_logged: its limit, nil if a snapshot must
--     be stored first
-- A row: service, node, subid (nil if the service gave none), state, version (of its last change). A row
-- with the state "none" is not current; it is kept for deltas.
--
-- In storage: a snapshot of the list (key-value store "pam"), and one item for each later version (archive
-- store "pam_changes"), so that the cost of a change does not depend on the length of the list. Writing an
-- item is atomic, and it holds all rows of its version. A new snapshot is written before the items that it
-- replaces are removed; items that it already contains are skipped.

local cache = require "util.cache";
local id = require "util.id";
local json = require "util.json";
local st = require "util.stanza";

-- Number of versions for which a client gets a delta. For older versions it gets the full list.
local history_size = module:get_option_number("pam_history_size", 500);
-- Size of all lists in memory, at up to 300 bytes a row. The least recently used lists are removed first.
local max_cached = 100000;
-- Bounds of max_logged, which is the size of the last snapshot, so that a change is cheap on average. The
-- internal storage holds 10,000 items.
local min_logged, max_logged = 100, 5000;

local snapshots = module:open_store("pam");
local changes = module:open_store("pam_changes", "archive");

local lists = {};

local cached, cached_size = cache.new(max_cached), 0;

local function drop(username)
	local list = cached:get(username);
	if not list then return; end
	cached_size = cached_size - list.size;
	list.cached = false;
	cached:set(username, nil);
end

local function make_room()
	while cached_size > max_cached and cached:count() > 1 do
		drop((cached:tail()));
	end
end

local function remember(username, list)
	list.cached = true;
	cached:set(username, list);
	cached_size = cached_size + list.size;
	make_room();
end

local function grow(list, difference)
	list.size = list.size + difference;
	if list.cached then cached_size = cached_size + difference; end
end

local function set_token(list, version, random)
	grow(list, (random and 1 or 0) - (list.tokens[version] and 1 or 0));
	list.tokens[version] = random;
end

-- Sets the state and version of a row, and creates the row if it does not exist.
local function put(list, service, node, subid, state, version)
	local known = list.services[service] or { standing = 0, nodes = {} };
	list.services[service] = known;
	local rows = known.nodes[node] or {};
	known.nodes[node] = rows;
	local row = rows[subid or ""];
	if not row then
		row = { service = service, node = node, subid = subid, state = "none" };
		rows[subid or ""] = row;
		grow(list, 1);
	end
	local difference = (row.state == "none" and 1 or 0) - (state == "none" and 1 or 0);
	known.standing = known.standing + difference;
	list.standing = list.standing + difference;
	row.state, row.version, row.unreachable = state, version, nil;
	return row;
end
lists.put = put;

-- All rows, in no order.
local function each(list)
	return coroutine.wrap(function ()
		for _, known in pairs(list.services) do
			for _, rows in pairs(known.nodes) do
				for _, row in pairs(rows) do coroutine.yield(row); end
			end
		end
	end);
end

-- Rows in the order of their last change. Within a version, a row without subid comes first: its "none"
-- applies to every subscription to the node.
function lists.sort(rows)
	table.sort(rows, function (a, b)
		if a.version ~= b.version then return a.version < b.version; end
		if a.service ~= b.service then return a.service < b.service; end
		if a.node ~= b.node then return a.node < b.node; end
		return (a.subid or "") < (b.subid or "");
	end);
	return rows;
end

-- The rows that changed after a version, or without a version all current rows.
function lists.since(list, version)
	local found = {};
	for row in each(list) do
		if version and row.version > version or not version and row.state ~= "none" then
			table.insert(found, row);
		end
	end
	return lists.sort(found);
end

function lists.knows(list, service)
	local known = list.services[service];
	return known ~= nil and known.standing > 0;
end

-- Reports whether a node may have a current row. Cheaper than lists.standing: an event may name thousands of nodes.
function lists.has_node(list, service, node)
	local known = list.services[service];
	return known ~= nil and known.nodes[node] ~= nil;
end

-- The current rows of a node.
function lists.standing(list, service, node)
	local found = {};
	local known = list.services[service];
	for _, row in pairs(known and known.nodes[node] or {}) do
		if row.state ~= "none" then table.insert(found, row); end
	end
	return found;
end

function lists.token(list, version)
	return ("%d-%s"):format(version, list.tokens[version]);
end

-- The number of the version that a client's token names, or nil if the token is unknown.
function lists.known_version(list, token)
	local number, random = (token or ""):match("^(%d+)%-(.+)$");
	number = tonumber(number);
	if number and list.tokens[number] == random then return number; end
end

local function new_list()
	return { version = 0, floor = 0, tokens = { [0] = id.short() }, services = {}, size = 1, standing = 0, logged = 0 };
end

local function log_limit(list)
	return math.min(math.max(min_logged, list.size), max_logged);
end

-- Reads a snapshot, also one of the previous format, which had no random parts: its tokens become
-- unknown, so that every client gets the full list once.
local function read_snapshot(stored)
	local list = new_list();
	if not stored then return list; end
	if (stored.format or 0) > 2 then error("the stored list was written by a newer mod_pam"); end
	list.version = stored.version;
	list.floor = stored.floor;
	list.tokens = { [list.version] = list.tokens[0] };
	if not stored.format then list.floor = list.version; end
	for i, random in ipairs(stored.tokens or {}) do
		set_token(list, list.floor + i - 1, random);
	end
	for _, row in ipairs(stored.rows or stored.entries) do
		put(list, row.service, row.node, row.subid, row.state, row.version);
	end
	if stored.format then list.max_logged = log_limit(list); end
	return list;
end

local function read_changes(username, list)
	local items, err = changes:find(username);
	if not items then error(("cannot read the changes of %s: %s"):format(username, err)); end
	local complete = true;
	for _, item in items do
		local version = tonumber(item.attr.version);
		if version > list.version then
			complete = complete and version == list.version + 1;
			list.version = version;
			set_token(list, version, item.attr.token);
			for _, row in ipairs(json.decode(item:get_text())) do
				put(list, item.attr.service, row[1], row[3], row[2], version);
				list.logged = list.logged + 1;
			end
		end
	end
	if not complete then
		-- The remaining rows must not match a version that a client has stored.
		module:log("error", "Changes of the subscriptions of %s are lost", username);
		list.version = list.version + 1;
		list.floor, list.tokens, list.max_logged = list.version, { [list.version] = id.short() }, nil;
	end
end

-- The list of an account, which may be empty. Fails if it cannot be read.
function lists.load(username)
	local list = cached:get(username);
	if list then
		cached:set(username, list); -- now the most recently used
		return list;
	end
	local stored, err = snapshots:get(username);
	if err then error(("cannot read the subscriptions of %s: %s"):format(username, err)); end
	list = read_snapshot(stored);
	read_changes(username, list);
	remember(username, list);
	return list;
end

-- Removes versions, and rows that are not current, older than the history.
local function forget(list)
	local floor = math.max(list.floor, list.version - history_size);
	for version = list.floor, floor - 1 do set_token(list, version, nil); end
	list.floor = floor;
	for service, known in pairs(list.services) do
		for node, rows in pairs(known.nodes) do
			for subid, row in pairs(rows) do
				if row.state == "none" and row.version <= floor then
					rows[subid] = nil;
					grow(list, -1);
				end
			end
			if not next(rows) then known.nodes[node] = nil; end
		end
		if not next(known.nodes) then list.services[service] = nil; end
	end
end

local function write_snapshot(username, list)
	forget(list);
	local rows, tokens = {}, {};
	for row in each(list) do
		table.insert(rows, { service = row.service, node = row.node, subid = row.subid, state = row.state, version = row.version });
	end
	for version = list.floor, list.version do
		table.insert(tokens, list.tokens[version]);
	end
	local ok, err = snapshots:set(username, { format = 2, version = list.version, floor = list.floor, tokens = tokens, rows = rows });
	if not ok then return nil, err; end
	list.max_logged = log_limit(list);
	-- If this fails, the items that remain are skipped when the list is read.
	if list.logged > 0 and changes:delete(username) then list.logged = 0; end
	return true;
end

local function append_change(username, list, rows)
	-- One text node, because archives store thousands of elements slowly.
	local texts = {};
	for i, row in ipairs(rows) do texts[i] = { row.node, row.state, row.subid }; end
	local item = st.stanza("change", { version = ("%d"):format(list.version), token = list.tokens[list.version],
		service = rows[1].service }):text(json.encode(texts));
	local ok, err = changes:append(username, nil, item, os.time(), "change");
	if not ok then return nil, err; end
	list.logged = list.logged + #rows;
	return true;
end

-- Stores rows that were put with the version after the list's, which becomes the list's version. If that
-- fails, the list in memory is set back to the stored one.
function lists.save(username, list, rows)
	list.version = list.version + 1;
	set_token(list, list.version, id.short());
	local ok, err;
	if list.max_logged and list.logged < list.max_logged then
		ok, err = append_change(username, list, rows);
		-- Storage may hold fewer items than expected.
		if not ok and err == "quota-limit" then ok, err = write_snapshot(username, list); end
	else
		ok, err = write_snapshot(username, list);
	end
	if not ok then
		drop(username);
		error(("cannot store the subscriptions of %s: %s"):format(username, err));
	end
	make_room();
end

function lists.delete(username)
	drop(username);
	snapshots:set(username, nil);
	changes:delete(username);
end

return lists;
