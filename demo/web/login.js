// The log-in to the visitor's own server. What is typed stays in the memory of this page and of the devices' pages.

const missingWords = {
  pam: "no Pubsub Account Management (XEP-0376): the list is not kept for the account",
  archive: "no archive (XEP-0313): what is missed may be lost",
  "stream-management": "no stream management (XEP-0198): sessions cannot be resumed",
  caps: "no entity capabilities (XEP-0115)",
};

/** Returns one sentence about a device's connection with the visitor's server, or "" while there is nothing to say. */
export function serverWords({ phase, missing, error }) {
  if (phase === "failed" || (phase === "waiting" && error)) return error;
  if (phase !== "live") return "";
  return missing.length === 0 ? "The server has everything that is needed." : `The server has ${missing.map((m) => missingWords[m] ?? `no ${m}`).join("; ")}.`;
}

/**
 * Connects the dialog with the devices. `panes` returns those that log in; `changed` is called with the login, or with null
 * when the page is back at its own server.
 */
export function connectLogin({ dialog, open, form, status, more, leave }, stage, panes, changed) {
  let login = null;

  /** Shows a sentence; what is longer than a few lines is folded. */
  function show(text) {
    const short = text.length <= 320 ? text : `${text.slice(0, 300).replace(/\s\S*$/, "")} …`;
    if (status.textContent !== short) status.textContent = short;
    more.hidden = short === text;
    more.querySelector("p").textContent = text;
  }

  open.addEventListener("click", () => dialog.showModal());
  dialog.querySelector("[data-action=close]").addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { account, password, service, follow } = Object.fromEntries(new FormData(form));
    login = {
      account: account.trim(), password, service: service.trim(),
      followTo: follow.split(/[\s,]+/).filter(Boolean),
    };
    form.elements.password.value = "";
    show("Connecting…");
    leave.hidden = false;
    await changed(login);
    for (const pane of panes()) pane.open("?own");
  });
  stage.on("login", (pane) => login && pane.do("login", login)); // its page has no account yet
  leave.addEventListener("click", async () => {
    login = null;
    show("");
    form.reset();
    leave.hidden = true;
    await changed(null);
    for (const pane of panes()) pane.open();
    dialog.close();
  });
  stage.on("state", (pane, state) => {
    if (!login || pane !== panes()[0]) return;
    const words = serverWords(state);
    if (words) show(words);
  });
}
