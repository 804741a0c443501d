/** Creates an element with a class and, if given, a text. */
export function element(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

export const span = (className, text) => element("span", className, text);
