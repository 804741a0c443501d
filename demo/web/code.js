// The lines of code that a page needs, as the devices run them. A line lights up when a device has run it.

/** Lights up the lines of a list, <code data-line="…">, as the devices report them; `copy` copies all. */
export function connectCode(list, copy, stage) {
  stage.on("ran", (pane, { line }) => {
    const code = list.querySelector(`[data-line="${CSS.escape(line)}"]`);
    if (!code) return;
    code.classList.remove("ran");
    void code.offsetWidth; // restarts the animation
    code.classList.add("ran");
  });
  copy.addEventListener("click", async () => {
    const text = [...list.querySelectorAll("code")].map((code) => code.textContent).join("\n");
    const copied = await navigator.clipboard.writeText(`${text}\n`).then(() => true, () => false);
    if (!copied) getSelection().selectAllChildren(list);
    copy.textContent = copied ? "Copied" : "Selected";
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  });
}
