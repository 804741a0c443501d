// A finger that presses the buttons of a device while the page plays by itself.

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Moves the finger to a button and presses it. Whoever prefers reduced motion sees the button marked instead. */
export async function tap(finger, button) {
  button.scrollIntoView({ block: "nearest" });
  const { left, top, width, height } = button.getBoundingClientRect();
  const [x, y] = [left + width / 2, top + height / 2];
  finger.hidden = false;
  if (still.matches) {
    finger.style.translate = `${x}px ${y}px`;
    await new Promise((resolve) => setTimeout(resolve, 400));
  } else {
    const from = finger.style.translate || `${innerWidth / 2}px ${innerHeight}px`;
    finger.style.translate = `${x}px ${y}px`;
    await finger.animate([{ translate: from }, { translate: `${x}px ${y}px` }], { duration: 450, easing: "ease-in-out" }).finished;
    await finger.animate([{ scale: 1 }, { scale: 0.7 }, { scale: 1 }], { duration: 160 }).finished;
  }
  button.click();
  setTimeout(() => { finger.hidden = true; }, 700);
}
