// The demo's device page: what a user sees and does on it, and its client.

/** Records errors of a page: errors on the console, uncaught errors, violations of its security policy. */
export async function watch(page) {
  page.problems = [];
  page.said = []; // everything on the console
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("console", (m) => {
    page.said.push(m.text());
    if (m.type() === "error") page.problems.push(m.text());
  });
  await page.exposeFunction("noteViolation", (text) => page.problems.push(text));
  await page.addInitScript(() => addEventListener("securitypolicyviolation", (e) => globalThis.noteViolation(`security policy: ${e.violatedDirective} ${e.blockedURI}`)));
}

/** Opens the page of a device in a context; one context is one storage. */
export async function openDevice(context, demo, name, account = "alice") {
  const { url } = await demo.device(name);
  const page = await context.newPage();
  await watch(page);
  await page.goto(`${url}?account=${account}`);
  return new Device(page, demo, name);
}

export class Device {
  /** `page` is a page or a frame. */
  constructor(page, demo, name) {
    Object.assign(this, { page, demo, name });
  }

  // Output -----------------------------------------------------------------------

  /** Returns the nodes of the rows on the page, sorted. */
  rows() {
    return this.page.getByTestId("row").evaluateAll((rows) => rows.map((r) => r.dataset.node).sort());
  }
  /** Waits until the page shows that many entries, `count` of them in the state `seen`, and returns [node, type, seen] of each. */
  async entries(n, seen = "unseen", count = 1) {
    const read = () => [...document.querySelectorAll("[data-testid=entry]")].map((e) => [e.dataset.node, e.dataset.type, e.dataset.seen]);
    await this.page.waitForFunction(([n, seen, count]) => {
      const rows = [...document.querySelectorAll("[data-testid=entry]")];
      return rows.length === n && rows.filter((r) => r.dataset.seen === seen).length >= count;
    }, [n, seen, count], { timeout: 20_000, polling: 50 }).catch(async (e) => {
      throw new Error(`${this.name} shows ${JSON.stringify(await this.page.evaluate(read))}, not ${n} entries of which ${count} are ${seen}`, { cause: e });
    });
    return this.page.evaluate(read);
  }
  state() { return this.page.getByTestId("state").textContent(); }
  version() { return this.page.getByTestId("version").textContent(); }

  /** Waits until the page shows exactly these nodes, all of them committed. */
  async shows(...nodes) {
    const want = nodes.sort().join();
    await this.page.waitForFunction((want) => {
      const rows = [...document.querySelectorAll("[data-testid=row]")];
      return rows.every((r) => r.dataset.local === "") && rows.map((r) => r.dataset.node).sort().join() === want;
    }, want, { timeout: 20_000, polling: 50 }).catch(async (e) => {
      throw new Error(`${this.name} shows ${await this.rows()}, not ${want} (${await this.state()})`, { cause: e });
    });
  }

  async phase(...phases) {
    await this.page.waitForFunction((phases) => phases.includes(globalThis.pamDemo?.client.sync.getSnapshot().phase), phases, { timeout: 20_000, polling: 50 }).catch(async (e) => {
      throw new Error(`${this.name} is in phase ${await this.page.evaluate(() => globalThis.pamDemo?.client.sync.getSnapshot().phase)}, not ${phases}`, { cause: e });
    });
  }

  // User actions -------------------------------------------------------------------

  async subscribe(node, service = undefined) {
    if (service) await this.page.getByTestId("service-input").fill(service);
    await this.page.getByTestId("node-input").fill(node);
    await this.page.getByTestId("subscribe").click();
  }
  unsubscribe(node) {
    return this.page.locator(`[data-testid=row][data-node="${node}"]`).getByTestId("unsubscribe").click();
  }

  /** Publishes sample entries at a node. */
  publish(node, count) { return this.demo.publish(node, count); }

  /** Reconnects the network: the server accepts connections, and the browser notifies the page. */
  async plug() {
    await this.demo.plug(this.name);
    await this.page.evaluate(() => dispatchEvent(new Event("online")));
  }
  unplug() { return this.demo.unplug(this.name); }

  // The client ----------------------------------------------------------------------

  /** Subscribes with the API. Returns the row, or the fields of the error. */
  request(operation, target) {
    return this.page.evaluate(([operation, target]) => pamDemo.client[operation](target).then((row) => ({ row: row ?? null }), (e) => ({
      code: e.code, origin: e.origin, by: e.by, condition: e.condition, pubsubCondition: e.pubsubCondition, message: e.message, isPamError: e.name === "PamError",
    })), [operation, target]);
  }

  /** Returns the frames after the sequence number `since`, as {seq, dir, xml, layer}. */
  frames(since = 0) {
    return this.page.evaluate((since) => pamDemo.client.inspector.getSnapshot().filter((f) => f.seq > since).map(({ seq, dir, xml, layer }) => ({ seq, dir, xml, layer })), since);
  }
  /** Waits until every list request is answered and no other follows: a server may notice late that this device supports PAM. */
  async settled() {
    for (let calm = 0; calm < 3;) {
      const frames = await this.frames();
      const answered = new Set(frames.filter((f) => f.dir === "in" && f.xml.startsWith("<iq")).map((f) => idOf(f.xml)));
      const open = frames.filter((f) => isListRequest(f) && !answered.has(idOf(f.xml)));
      calm = open.length === 0 ? calm + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  async lastSeq() { return (await this.frames()).at(-1)?.seq ?? 0; }

  /** Returns the client's list: its version, and the rows as text. */
  list() { return this.page.evaluate(readList); }

  /** Returns all databases of the origin, each as the text of all its records. */
  databases() { return this.page.evaluate(dumpDatabases); }
}

function readList() {
  const list = globalThis.pamDemo.client.subscriptions.getSnapshot();
  return { ver: list.ver, source: list.source, rows: list.map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state, r.local ?? ""].join(" ")).sort() };
}

async function dumpDatabases() {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const dump = {};
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(name));
    let text = "";
    for (const table of db.objectStoreNames) {
      const records = db.transaction(table).objectStore(table);
      text += [...await done(records.getAllKeys()), ...(await done(records.getAll())).map((v) => new TextDecoder("latin1").decode(v))].join("\n");
    }
    db.close();
    dump[name] = text;
  }
  return dump;
}

const idOf = (xml) => /^<[^>]*\bid=['"]([^'"]*)/.exec(xml)?.[1];

/** Reports whether a message contains a non-empty list. */
export const isFullList = (xml) => /<subscriptions\b[^>]*[^/]>/.test(xml) && /<subscription\b/.test(xml);
export const isListRequest = (f) => f.dir === "out" && /<subscriptions\b/.test(f.xml);
export const isNotify = (f) => f.dir === "in" && /<notify\b/.test(f.xml);
