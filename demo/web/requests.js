// What the enclosing page may request of a device: to press its buttons while the page plays by itself, and to report the
// messages on its wire.

/**
 * shell: the ShellLink. client: the client. The functions press the button of a feed, the newest unread entry, "Mark all as
 * read" and "OK"; setOnline connects or disconnects; setQuiet silences a screen reader; missed returns what was missed; fail lets the worker fail.
 */
export function answerShell(shell, { client, press, open, readAll, close, setOnline, setQuiet, missed, fail }) {
  shell.on("press", ({ node }) => press({ node }));
  shell.on("open", open);
  shell.on("readAll", readAll);
  shell.on("close", close);
  shell.on("connect", () => setOnline(true));
  shell.on("disconnect", () => setOnline(false));
  shell.on("quiet", ({ quiet }) => setQuiet(quiet));
  shell.on("missed", ({ since }) => missed(since));
  shell.on("fail", fail);
  // The network of a device is simulated, and so is the event with which a browser reports that it is back.
  shell.on("wake", () => dispatchEvent(new Event("online")));
  shell.on("wholeList", async () => {
    const last = client.inspector.getSnapshot().at(-1)?.seq ?? -1;
    await client.subscriptions.refresh({ ignoreVersion: true });
    const frames = client.inspector.getSnapshot().filter((f) => f.seq > last && f.kind === "iq" && f.layer === "pam"); // request and result
    return { bytes: frames.reduce((sum, f) => sum + f.bytes, 0), rows: client.subscriptions.getSnapshot().length };
  });

  let lastSeq = -1;
  client.inspector.subscribe((frames) => {
    const fresh = frames.filter((f) => f.seq > lastSeq);
    if (fresh.length === 0) return;
    lastSeq = fresh.at(-1).seq;
    shell.post({
      type: "frames",
      frames: fresh.map(({ seq, at, dir, kind, layer = "", xml, bytes, id, replyTo, rttMs }) => (
        { seq, at: at.getTime(), dir, kind, layer, xml, bytes, id, replyTo, rttMs }
      )),
    });
  });
}
