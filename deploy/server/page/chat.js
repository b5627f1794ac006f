// The page: asks one question at a time, shows the answer as it comes, then its sources and figures.
// While a run goes on, more layers go live: the page follows what is served without being loaded anew.
import { chunks, element, reading } from "/page/reading.js";

// They fit the knowledge of the default bundle only; another one starts without suggestions.
const DEFAULT_BUNDLE = "threeply-default";
const SUGGESTIONS = [
  "In `sklearn.svm.SVC`, what is the default of `C`?",
  "What does the parameter `rcond` of `numpy.linalg.lstsq` do?",
  "In `pandas.read_csv`, what is the default of `bandwidth`?",
];
const $ = (id) => document.getElementById(id);
const PATIENCE = 20000; // milliseconds between two looks for the next layer, as long as some are missing
let running = null;
let timer = 0;
let shownRelease = null;

async function start() {
  const health = await refresh();
  for (const text of health.bundle === DEFAULT_BUNDLE ? SUGGESTIONS : []) {
    const item = element("li");
    const button = element("button", "", text.replaceAll("`", ""));
    button.type = "button";
    button.addEventListener("click", () => ask(text));
    item.append(button);
    $("suggestions").append(item);
  }
}

/** Shows what is served now: its layers, and its models where they have changed. */
async function refresh() {
  const health = await json("/healthz"); // all of it at once: two questions could meet two releases
  $("live").textContent = [health.live, health.fault].filter(Boolean).join(". ");
  if (health.manifest !== shownRelease?.manifest) {
    $("bundle").textContent = `${health.bundle} ${health.manifest.slice(0, 8)}`;
    showModels(health.models, health.default);
    shownRelease = health;
  }
  if (health.partial) later();
  return health;
}

/** Refreshes in a while; where the server is away for a moment, it is asked again. */
function later() {
  clearTimeout(timer);
  timer = setTimeout(() => refresh().catch(later), PATIENCE);
}

/** The models as a choice; what a person has chosen stays chosen. */
function showModels(names, usual) {
  const before = document.querySelector("input[name=model]:checked")?.value;
  const chosen = before !== shownRelease?.default && names.includes(before) ? before : usual;
  for (const label of $("models").querySelectorAll("label")) label.remove();
  for (const name of names) {
    const label = element("label");
    const input = element("input");
    Object.assign(input, { type: "radio", name: "model", value: name, checked: name === chosen });
    label.append(input, element("span", "", name));
    $("models").append(label);
  }
}

async function json(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function request(question) {
  return {
    model: document.querySelector("input[name=model]:checked")?.value,
    messages: [{ role: "user", content: question }],
    stream: true,
    stream_options: { include_usage: true },
    threeply: { layers: { prompt: $("prompt").checked, retrieval: $("retrieval").checked } },
  };
}

async function ask(question) {
  if (running || !question.trim()) return;
  running = new AbortController();
  busy(true);
  $("welcome").hidden = true;
  const body = request(question.trim());
  const turn = shown(question.trim());
  const began = performance.now();
  let text = "";
  let first = 0;
  let layers = null;
  let usage = null;
  let release = "";
  try {
    const response = await fetch("/v1/chat/completions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: running.signal,
    });
    if (!response.ok) throw new Error((await response.json()).error.message);
    for await (const chunk of chunks(response)) {
      const piece = chunk.choices[0]?.delta.content ?? "";
      if (piece && !first) first = performance.now() - began;
      text += piece;
      turn.text.textContent = text;
      layers = chunk.threeply ?? layers;
      usage = chunk.usage ?? usage;
      release = chunk.system_fingerprint ?? release;
    }
    finish(turn, text, layers, figures(body, layers, usage, first, performance.now() - began));
  } catch (error) {
    const stopped = error.name === "AbortError";
    if (!stopped) turn.answer.classList.add("wrong");
    turn.text.textContent = stopped ? `${text} (stopped)` : error.message;
  } finally {
    turn.answer.classList.remove("writing");
    running = null;
    busy(false);
    if (release && !shownRelease?.manifest.startsWith(release)) refresh().catch(later);
  }
}

function shown(question) {
  const turn = element("section", "turn");
  const answer = element("div", "answer writing");
  const text = element("p", "text");
  answer.append(text);
  turn.append(element("p", "asked", question.replaceAll("`", "")), answer);
  $("talk").append(turn);
  turn.scrollIntoView({ block: "end" });
  return { turn, answer, text };
}

function finish(turn, text, layers, lines) {
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
  turn.text.replaceChildren(...reading(text, new Set(boxes.keys()), open));
  if (sources.length) turn.answer.append(list);
  const row = element("p", "faint figures");
  row.append(...lines.map((line) => element("span", "", line)));
  turn.answer.append(row);
  turn.turn.scrollIntoView({ block: "end" });
}

function box(source, cited) {
  const item = element("li", cited.includes(source.number) ? "cited" : "");
  const details = element("details");
  const summary = element("summary");
  summary.append(element("span", "", `${source.number}`), element("span", "title", source.title));
  if (cited.includes(source.number)) summary.append(element("span", "tag", "cited"));
  details.append(summary, element("pre", "", source.text), element("span", "faint uri", source.uri));
  item.append(details);
  return item;
}

function figures(body, layers, usage, first, total) {
  const on = Object.entries(body.threeply.layers).filter(([, value]) => value).map(([name]) => name);
  const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
  const lines = [[body.model, ...on].join(" + "), `${seconds(total)} in all`];
  if (first) lines.push(`first word ${seconds(first)}`);
  if (layers?.layers.retrieval) lines.push(`search ${seconds(layers.timings.retrieval_ms)}`);
  if (usage) lines.push(`${usage.prompt_tokens} + ${usage.completion_tokens} tokens`);
  return lines;
}

function busy(on) {
  $("send").disabled = on;
  $("stop").hidden = !on;
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value;
  if (running || !question.trim()) return;
  $("question").value = "";
  ask(question);
});
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("ask").requestSubmit();
  }
});
$("question").addEventListener("input", ({ target }) => {
  target.rows = Math.min(6, target.value.split("\n").length);
});
$("layers").addEventListener("submit", (event) => event.preventDefault());
$("stop").addEventListener("click", () => running?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});
start().catch((error) => {
  $("bundle").textContent = `the server does not answer: ${error.message}`;
});
