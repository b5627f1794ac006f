// One turn of the talk: what was asked, one answer or two to be compared, each with its sources and figures.
import { element, reading, typed } from "/page/reading.js";

/** The places of a new turn's answers, shown at the end of the talk; `names` are what two are told apart by. */
export function opened(question, names) {
  const turn = element("section", "turn");
  const asked = element("p", "asked");
  const row = element("div", names.length > 1 ? "pair" : "");
  const places = names.map((name) => place(turn, names.length > 1 ? name : ""));
  asked.append(...typed(question));
  row.append(...places.map(({ answer }) => answer));
  turn.append(asked, row);
  document.getElementById("turns").append(turn);
  return places;
}

function place(turn, name) {
  const answer = element("div", "answer");
  const text = element("p", "text");
  if (name) answer.append(element("h3", "faint", name));
  answer.append(text);
  return { turn, answer, text };
}

/** Begins the writing of an answer. */
export function begun({ answer }) {
  answer.classList.add("writing");
  answer.setAttribute("aria-busy", "true"); // read aloud once it is whole, not at each word
}

/** Shows an answer that has ended: its marks and code, its sources, and `lines` of figures below. */
export function closed({ answer, text }, words, layers, lines) {
  const sources = layers?.sources ?? [];
  const list = element("ul", "sources");
  const boxes = new Map(sources.map((source) => [source.number, box(source, layers.citations)]));
  list.append(...boxes.values());
  const open = (number) => {
    const details = boxes.get(number).querySelector("details");
    details.open = true;
    details.querySelector("summary").focus();
    details.scrollIntoView({ block: "nearest" });
  };
  text.replaceChildren(...reading(words, new Set(boxes.keys()), open));
  if (sources.length) answer.append(list);
  const row = element("p", "faint figures");
  const told = answer.querySelector("h3") ? lines.slice(1) : lines; // the first is what stands above already
  row.append(...told.map((line) => element("span", "", line)));
  answer.append(row);
}

/** Says something about an answer right below its text; `kind` is "cut", "wrong", or nothing special. */
export function note({ answer, text }, words, kind = "") {
  const notes = answer.querySelectorAll(".note");
  (notes.length ? notes[notes.length - 1] : text).after(element("p", `note ${kind}`.trim(), words));
}

/** Ends the writing, however it went. */
export function settled({ answer, text }) {
  text.hidden = !text.textContent;
  answer.classList.remove("writing");
  answer.removeAttribute("aria-busy");
}

/** What answers as `body` asks: the model, and the layers around it. */
export function named(body) {
  const on = Object.entries(body.threeply.layers).filter(([, value]) => value).map(([name]) => name);
  return on.length ? [body.model, ...on].join(" + ") : `${body.model} alone`;
}

/** The figures of an answer to `body`. */
export function figures(body, layers, usage, first, total) {
  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  const lines = [named(body)];
  if (body.messages.length > 1) lines.push("with the turn before");
  lines.push(`${seconds(total)} in all`);
  if (first) lines.push(`first word ${seconds(first)}`);
  if (layers?.layers.retrieval) lines.push(`search ${seconds(layers.timings.retrieval_ms)}`);
  if (layers?.left_out) lines.push(`${layers.left_out} passages found no room`);
  if (usage) lines.push(`${usage.prompt_tokens} + ${usage.completion_tokens} tokens`);
  return lines;
}

function box(source, cited) {
  const item = element("li", cited.includes(source.number) ? "cited" : "");
  const details = element("details");
  const summary = element("summary");
  const title = element("span", "title");
  for (const part of source.title.split(/(?<=[._])/)) title.append(part, element("wbr")); // names break at dots
  summary.append(element("span", "", `${source.number}`), title);
  if (cited.includes(source.number)) summary.append(element("span", "tag", "cited"));
  details.append(summary, element("pre", "", source.text), element("span", "faint uri", source.uri));
  item.append(details);
  return item;
}
