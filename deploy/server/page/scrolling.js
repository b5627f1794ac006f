// Keeps the end of the talk in view while it grows, unless a person has scrolled away from it.
// In a low window the whole page scrolls instead of the talk: style.css says from which height on.

const talk = document.getElementById("talk");
const NEAR = 48; // pixels from the end that still count as the end
let following = true;

function scroller() {
  return getComputedStyle(talk).overflowY === "visible" ? document.scrollingElement : talk;
}

/** Shows the end, and stays with it. */
export function toEnd() {
  following = true;
  const moved = scroller();
  moved.scrollTop = moved.scrollHeight;
}

/** Shows the end of what has grown, where the person has been looking at the end. */
export function grown() {
  if (following) toEnd();
}

function look() {
  const seen = scroller();
  following = seen.scrollHeight - seen.clientHeight - seen.scrollTop < NEAR;
}

talk.addEventListener("scroll", look, { passive: true });
document.addEventListener("scroll", look, { passive: true });
// A longer question, or a phone's keyboard, takes room from the talk: its end stays in view.
new ResizeObserver(grown).observe(talk);
