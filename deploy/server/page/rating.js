// What a person thinks of an answer: a thumb up or down, and what would have been right.
import { element } from "/page/reading.js";
import { refusal, request } from "/page/requests.js";
import { grown } from "/page/scrolling.js";

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M7 10.5v10H3.5v-10zM7 10.5l4-8c1.7 0 3 1.3 3 3V9h5a2 2 0 0 1 2 2.3l-1.2 7.5a2 2 0 0 1-2 1.7H7";

/** The thumbs below the answer called `id`; `name` says which one it is to who cannot see it. */
export function rating(id, name) {
  const row = element("div", "rating");
  const thumbs = { up: thumb("up", "Good answer"), down: thumb("down", "Bad answer") };
  const said = element("span", "faint");
  const { form, field } = correction();
  let given = null; // "up", "down", or nothing
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", `What you think of the answer of ${name}`);
  said.setAttribute("role", "status");
  row.append(thumbs.up, thumbs.down, said, form);

  /** Sends what is thought, or takes it back; whether the server has kept it. */
  async function tell(wanted, better) {
    if (row.hasAttribute("aria-busy")) return false; // one after the other, so that the last one counts
    row.setAttribute("aria-busy", "true");
    try {
      const { response } = wanted
        ? await request("POST", "feedback", { body: { id, rating: wanted, better } })
        : await request("DELETE", `feedback/${encodeURIComponent(id)}`);
      if (!response.ok) throw await refusal(response);
      given = wanted;
      for (const [kind, button] of Object.entries(thumbs)) button.setAttribute("aria-pressed", kind === given);
      say(wanted ? "Thank you." : "Taken back.");
      return true;
    } catch (error) {
      say(error.message, "wrong");
      return false;
    } finally {
      row.removeAttribute("aria-busy");
      grown();
    }
  }

  function say(words, kind = "") {
    said.className = `faint ${kind}`.trim();
    said.textContent = words;
  }

  function close() {
    form.hidden = true;
    thumbs.down.focus();
  }

  thumbs.up.addEventListener("click", async () => {
    if (await tell(given === "up" ? null : "up")) form.hidden = true;
  });
  thumbs.down.addEventListener("click", async () => {
    if (!(await tell(given === "down" ? null : "down"))) return;
    form.hidden = given === null;
    if (given) field.focus();
    grown();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const better = field.value.trim();
    if (!better) say("Say what would be right, or leave it at the thumb.");
    else if (await tell("down", better)) close();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // an answer under way goes on
    close();
  });
  return row;
}

function thumb(kind, label) {
  const button = element("button", `quiet thumb ${kind}`);
  const icon = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", THUMB);
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  icon.append(path);
  button.type = "button";
  button.title = label;
  button.setAttribute("aria-label", label);
  button.setAttribute("aria-pressed", "false");
  button.append(icon);
  return button;
}

/** The small field for the right answer, closed. */
function correction() {
  const form = element("form", "better");
  const label = element("label", "faint", "What would be right?");
  const field = element("textarea");
  const send = element("button", "quiet", "Send");
  field.rows = 2;
  send.type = "submit";
  label.append(field);
  form.append(label, send);
  form.hidden = true;
  return { form, field };
}
