// A finger that presses the buttons of a device while the page plays by itself.

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Moves the finger to a button and presses it. With reduced motion, the button is only marked. */
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
    await move(finger, [{ translate: from }, { translate: `${x}px ${y}px` }], { duration: 450, easing: "ease-in-out" });
    await move(finger, [{ scale: 1 }, { scale: 0.7 }, { scale: 1 }], { duration: 160 });
  }
  button.click();
  setTimeout(() => { finger.hidden = true; }, 700);
}

/** Runs an animation. It takes no longer in a frame that is out of view, in which browsers hold animations. */
function move(finger, frames, options) {
  const timeout = new Promise((resolve) => setTimeout(resolve, options.duration + 150));
  return Promise.race([finger.animate(frames, options).finished, timeout]);
}
