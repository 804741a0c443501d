// What the page of a device says about the outcome of an action, and about an error.

import { element } from "./elements.js";
import { errorFacts, errorWords } from "./words.js";

const $ = (id) => document.getElementById(id);

export function notice(text) {
  $("notice").textContent = text;
  $("notice").title = text;
}

/** Shows an error; target: that of the request, if there was one. */
export function showError(error, target) {
  const text = errorWords(error, target);
  $("error-text").textContent = text;
  $("error-facts").replaceChildren(...errorFacts(error).filter(([, value]) => value !== text).map(([name, value]) => {
    const pair = element("div", "");
    pair.append(element("dt", "", name), element("dd", "", value));
    return pair;
  }));
  Object.assign($("error").dataset, {
    about: target && error.code !== "offline" ? "request" : "connection",
    code: error.code ?? "", condition: error.condition ?? "", pubsub: error.pubsubCondition ?? "",
  });
  $("error").hidden = false;
  notice("");
}

export function hideError() {
  $("error").hidden = true;
}

$("error-close").addEventListener("click", () => {
  hideError();
  $("scroller").focus();
});
