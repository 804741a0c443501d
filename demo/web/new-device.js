// A further device: it starts with nothing, gets the whole list with one request, and is reloaded, to show how soon the
// stored list is on screen.

import { element } from "./elements.js";
import { request } from "./stage.js";
import { bytesText, msText } from "./traffic.js";

export class NewDevices {
  #stage;
  #box;
  #template;
  #traffic;

  /** box: gets an article for each device, a copy of the template's. */
  constructor(stage, box, template, traffic) {
    this.#stage = stage;
    this.#box = box;
    this.#template = template;
    this.#traffic = traffic;
  }

  /** Shows a device that is open already. */
  add(device, query) {
    const article = this.#template.content.cloneNode(true).firstElementChild;
    article.setAttribute("aria-label", device.name);
    article.querySelector("[data-part=name]").textContent = device.name;
    this.#box.append(article);
    const pane = this.#stage.add(device, article.querySelector(".screen"), query);
    article.querySelector("[data-action=remove]").addEventListener("click", async () => {
      this.#stage.remove(pane);
      article.remove();
      await request("DELETE", `/devices/${device.id}`);
    });
    return { pane, article };
  }

  /** Opens a new device, and measures it without and with a stored list. */
  async open(query) {
    const { pane, article } = this.add(await request("POST", "/devices"), query);
    const times = article.querySelector("[data-part=times]");
    const first = await this.#stage.next(pane, "listed", (m) => m.source === "server");
    const { list } = this.#traffic.since(pane, 0);
    times.append(element("li", "", `Empty: the list of ${count(first.rows)} after ${msText(first.ms)}, with one request (${bytesText(list)}).`));
    await this.#stage.until(() => pane.state?.catchUp.phase === "done", 20_000, pane.name);
    const again = [this.#stage.next(pane, "listed", (m) => m.source === "cache"), this.#stage.next(pane, "live")];
    pane.open(query);
    const [stored, live] = await Promise.all(again);
    times.append(element("li", "", `Opened again: the stored list after ${msText(stored.ms)}, ${live.resumed ? "resumed" : "equal to the server’s"} after ${msText(live.ms)}.`));
    return pane;
  }
}

const count = (rows) => (rows === 1 ? "1 feed" : `${rows} feeds`);
