// One turn of the talk: what was asked, the answer, then its sources and figures.
import { element, reading, typed } from "/page/reading.js";

/** The elements of a new turn, shown at the end of the talk with its answer still to be written. */
export function opened(question) {
  const turn = element("section", "turn");
  const asked = element("p", "asked");
  const answer = element("div", "answer writing");
  const text = element("p", "text");
  asked.append(...typed(question));
  answer.setAttribute("aria-busy", "true"); // read aloud once it is whole, not at each word
  answer.append(text);
  turn.append(asked, answer);
  document.getElementById("turns").append(turn);
  return { turn, answer, text };
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
  row.append(...lines.map((line) => element("span", "", line)));
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

/** The figures of an answer to `body`. */
export function figures(body, layers, usage, first, total) {
  const on = Object.entries(body.threeply.layers).filter(([, value]) => value).map(([name]) => name);
  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  const lines = [[body.model, ...on].join(" + ")];
  if (body.messages.length > 1) lines.push("with the turn before");
  lines.push(`${seconds(total)} in all`);
  if (first) lines.push(`first word ${seconds(first)}`);
  if (layers?.layers.retrieval) lines.push(`search ${seconds(layers.timings.retrieval_ms)}`);
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
