// The types of host.d.ts are those of the JavaScript that the build puts in their place. It is compiled and never run.

import * as fetch from "../../../wasm/fetch/fetch.js";
import * as idb from "../../../wasm/idb/idb.js";
import * as kdf from "../../../wasm/kdf/kdf.js";
import * as socket from "../../../wasm/socket/socket.js";

fetch satisfies typeof import("host:fetch");
idb satisfies typeof import("host:idb");
kdf satisfies typeof import("host:kdf");
socket satisfies typeof import("host:socket");
