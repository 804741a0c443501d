// A list of rows at which the Tab key stops once. The arrow keys, Home and End move between the rows.

export class TabStop {
  #list;
  #rows; // returns the rows that are shown: [{item, summary}]
  #stop; // the row at which the Tab key stops

  /** list: the element around the rows. rows: a function that returns them; `summary` of a row gets the focus. */
  constructor(list, rows) {
    this.#list = list;
    this.#rows = rows;
    list.addEventListener("keydown", (event) => this.#move(event));
    list.addEventListener("focusin", (event) => this.#stopAt(rows().find((row) => row.item.contains(event.target))));
  }

  /** Makes the Tab key stop at the newest row, unless another row has the focus. To be called when the rows have changed. */
  settle() {
    const rows = this.#rows();
    this.#stopAt(rows.find((row) => row.item.contains(document.activeElement)) ?? rows.at(-1));
  }

  /** Runs a change of the rows. If the row with the focus is removed, another one gets it. */
  keep(change) {
    const focused = this.#list.contains(document.activeElement);
    change();
    this.settle();
    if (focused && !this.#list.contains(document.activeElement)) this.#stop?.summary.focus();
  }

  #stopAt(row) {
    if (this.#stop) this.#stop.summary.tabIndex = -1;
    this.#stop = row;
    if (row) row.summary.tabIndex = 0;
  }

  #move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const rows = this.#rows();
    const i = rows.indexOf(this.#stop);
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[to]?.summary.focus();
  }
}
