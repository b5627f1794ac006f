// What is served: its models as a choice, and which layers are live.
// While a run goes on, more layers go live: the page follows what is served without being loaded anew.
import { offer } from "/page/compare.js";
import { where } from "/page/narrowing.js";
import { element } from "/page/reading.js";

const $ = (id) => document.getElementById(id);
const PATIENCE = 20000; // milliseconds between two looks for the next layer, as long as some are missing
let timer = 0;
let shown = null;
let asks = false;

/** Shows what is served now: its layers, and its models where they have changed. */
export async function refresh() {
  const response = await fetch("/healthz"); // all of it at once: two questions could meet two releases
  if (!response.ok) throw new Error(`/healthz answered ${response.status}`);
  const health = await response.json();
  $("documents").hidden = !health.documents;
  asks = health.feedback;
  $("live").textContent = [health.live, health.fault].filter(Boolean).join(". ");
  if (health.manifest !== shown?.manifest) {
    $("bundle").textContent = `${health.bundle} ${health.manifest.slice(0, 8)}`;
    showModels(health.models, health.default);
    offer(health.models);
    shown = health;
  }
  if (health.partial) later();
  return health;
}

/** Refreshes where an answer came from another release than the one that is shown. */
export function follow(release) {
  if (release && !shown?.manifest.startsWith(release)) refresh().catch(later);
}

/** Whether the server asks what people think of its answers. */
export function isRated() {
  return asks;
}

/** What is chosen, as a request spells it. */
export function choice() {
  const layers = { prompt: $("prompt").checked, retrieval: $("retrieval").checked };
  const kept = where();
  return {
    model: document.querySelector("input[name=model]:checked")?.value,
    threeply: Object.keys(kept).length ? { layers, where: kept } : { layers },
  };
}

/** Refreshes in a while; where the server is away for a moment, it is asked again. */
function later() {
  clearTimeout(timer);
  timer = setTimeout(() => refresh().catch(later), PATIENCE);
}

/** The models as a choice; what a person has chosen stays chosen. */
function showModels(names, usual) {
  const before = document.querySelector("input[name=model]:checked")?.value;
  const chosen = before !== shown?.default && names.includes(before) ? before : usual;
  for (const label of $("models").querySelectorAll("label")) label.remove();
  for (const name of names) {
    const label = element("label");
    const input = element("input");
    Object.assign(input, { type: "radio", name: "model", value: name, checked: name === chosen });
    label.append(input, element("span", "", name));
    $("models").append(label);
  }
}
