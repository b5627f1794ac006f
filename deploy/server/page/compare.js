// What an answer is compared with: that of another model, or of the same one with a layer less.
import { option } from "/page/reading.js";

const select = document.getElementById("beside");

/** Offers what `models` can be compared with; what is chosen stays chosen as long as it is there. */
export function offer(models) {
  const before = select.value;
  const ways = [
    ["", "nothing"],
    ...models.map((name) => [`model ${name}`, name]),
    ["without prompt", "no prompt"],
    ["without retrieval", "no retrieval"],
  ];
  if (models.includes("base")) ways.push(["bare base", "base alone"]);
  select.replaceChildren(...ways.map(([value, words]) => option(value, words)));
  select.value = ways.some(([value]) => value === before) ? before : "";
}

/** What is to be asked: `chosen`, and beside it what it is compared with, where that is something else. */
export function compared(chosen) {
  const [way, name] = select.value.split(" ");
  const { layers } = chosen.threeply;
  const others = {
    model: { ...chosen, model: name },
    without: { ...chosen, threeply: { ...chosen.threeply, layers: { ...layers, [name]: false } } },
    bare: { model: name, threeply: { layers: { prompt: false, retrieval: false } } },
  };
  const other = others[way];
  return other && JSON.stringify(other) !== JSON.stringify(chosen) ? [chosen, other] : [chosen];
}

/** Whether something is chosen to compare with. */
export function wanted() {
  return select.value !== "";
}
