// The line between the devices: a dot for each thing that travels, and how long it took. The dot is slower than the
// message, so that the eye can follow it; the number is the measured one.

import { element } from "./elements.js";
import { msText } from "./traffic.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");
const words = {
  subscribe: (d) => `from the tap on ${d.from} until ${d.to} shows the feed`,
  unsubscribe: (d) => `from the tap on ${d.from} until ${d.to} has removed the feed`,
  seen: (d) => `from opening it on ${d.from} until it is read on ${d.to}`,
  publish: (d) => `from publishing until ${d.to} shows the entry`,
};

export class Line {
  #track;
  #time;
  #words;

  /** track: the element that the dots move in, from Phone (0 %) to Laptop (100 %); time, words: those of the last delay. */
  constructor({ track, time, words: text }, delays) {
    this.#track = track;
    this.#time = time;
    this.#words = text;
    delays.addEventListener("delay", ({ detail }) => this.#show(detail));
  }

  #show(delay) {
    this.#time.value = msText(delay.ms);
    this.#words.textContent = words[delay.what](delay);
    if (still.matches || !this.#track.checkVisibility()) return;
    const width = this.#track.clientWidth;
    const ends = { Phone: 0, Laptop: width };
    const [from, to] = [ends[delay.from] ?? width / 2, ends[delay.to]];
    if (to === undefined) return;
    const dot = element("span", `packet ${delay.what}`);
    this.#track.append(dot);
    // A translation moves no other element, and lets the browser draw it without a layout.
    dot.animate([from, width / 2, to].map((x) => ({ translate: `${x}px` })), { duration: 800, easing: "ease-in-out" }).finished.finally(() => dot.remove());
  }
}
