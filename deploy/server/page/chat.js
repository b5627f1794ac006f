// The page: asks a question, with the turn before it, and shows the answer as it comes, or two to be compared.
import { compared, wanted } from "/page/compare.js";
import { before, fits, forget, keep, messages } from "/page/earlier.js";
import { rating } from "/page/rating.js";
import { chunks, element, typed } from "/page/reading.js";
import { refusal, request } from "/page/requests.js";
import { grown, toEnd } from "/page/scrolling.js";
import { choice, follow, isRated, refresh } from "/page/served.js";
import { begun, closed, figures, named, note, opened, settled } from "/page/turn.js";

// They fit the knowledge of the default bundle only; another one starts without suggestions.
const DEFAULT_BUNDLE = "threeply-default";
const SUGGESTIONS = [
  "In `sklearn.svm.SVC`, what is the default of `C`?",
  "What does the parameter `rcond` of `numpy.linalg.lstsq` do?",
  "In `pandas.read_csv`, what is the default of `bandwidth`?",
];
const $ = (id) => document.getElementById(id);
let running = null;

async function start() {
  const health = await refresh();
  for (const text of health.bundle === DEFAULT_BUNDLE ? SUGGESTIONS : []) {
    const item = element("li");
    const button = element("button");
    button.type = "button";
    button.append(...typed(text));
    button.addEventListener("click", () => {
      $("talk").focus(); // the button goes away; the question would bring up a phone's keyboard
      ask(text);
    });
    item.append(button);
    $("suggestions").append(item);
  }
}

async function ask(question) {
  const run = new AbortController();
  running = run;
  busy(true);
  $("welcome").hidden = true;
  $("anew").hidden = false;
  const last = before(question);
  const sent = last && fits(last) ? last : null;
  const asked = compared(choice());
  const places = opened(question, asked.map(named));
  if (last && !sent) note(places[0], "Asked alone: the turn before is too long to be sent along.");
  if (wanted() && asked.length === 1) note(places[0], "Compared with itself: it is asked once.");
  toEnd();
  let whole = true;
  for (const [number, place] of places.entries()) {
    // In turn: neither slows the other, and the figures of each are its own.
    if (!whole) note(place, "Not asked.");
    else whole = await answer(place, asked[number], { question, sent, run, leads: number === 0 });
    settled(place);
    grown();
  }
  if (running === run) {
    running = null;
    busy(false);
  }
}

/** Shows the answer to what is `chosen` in its place; whether it came whole. The leading one is followed on from. */
async function answer(place, chosen, { question, sent, run, leads }) {
  const body = {
    ...chosen,
    messages: messages(question, sent),
    stream: true,
    stream_options: { include_usage: true },
  };
  let text = "";
  begun(place);
  try {
    const told = await answered(body, run.signal, (piece) => {
      text += piece;
      place.text.append(piece);
      grown();
    });
    closed(place, text, told.layers, told.figures);
    if (told.ended === "length") note(place, cut(told.usage), "cut");
    if (!text) note(place, "No text came.");
    else if (leads) keep(question, text, sent);
    if (isRated()) place.answer.append(rating(told.id, named(chosen)));
    follow(told.release);
    return true;
  } catch (error) {
    if (place.turn.isConnected) failed(place, { question, text, sent, leads, error, stopped: run.signal.aborted });
    return false;
  }
}

/** Asks the server, and hands on each piece of text. What the answer's other parts tell comes out. */
async function answered(body, signal, piece) {
  let first = 0;
  const told = { id: "", layers: null, usage: null, release: "", ended: null };
  const { response, began } = await request("POST", "chat/completions", { body, signal });
  if (!response.ok) throw await refusal(response);
  for await (const chunk of chunks(response)) {
    const text = chunk.choices[0]?.delta.content;
    if (text && !first) first = performance.now() - began;
    if (text) piece(text);
    told.id = chunk.id ?? told.id;
    told.layers = chunk.threeply ?? told.layers;
    told.usage = chunk.usage ?? told.usage;
    told.release = chunk.system_fingerprint ?? told.release;
    told.ended = chunk.choices[0]?.finish_reason ?? told.ended;
  }
  signal.throwIfAborted();
  if (!told.ended) throw new Error("the connection ended before the answer did");
  told.figures = figures(body, told.layers, told.usage, first, performance.now() - began);
  return told;
}

function cut(usage) {
  const limit = usage ? `the limit of ${usage.completion_tokens} tokens` : "the limit of tokens";
  return `Cut at ${limit}: this is not the whole answer.`;
}

/** Says why there is no whole answer; a question without any is put back, to be sent again. */
function failed(turn, { question, text, sent, leads, error, stopped }) {
  note(turn, stopped ? "Stopped." : error.message, stopped ? "" : "wrong");
  if (!leads) return; // the question has its answer, beside this place
  if (stopped && text) {
    keep(question, text, sent); // the next question may follow on from what was read of it
  } else if (!$("question").value) {
    fill(question);
    const when = error.wait ? ` Send it again in ${error.wait} s.` : "";
    if (!stopped) note(turn, `Your question stands in the field again.${when}`);
  } else if (error.wait) {
    note(turn, `Ask it again in ${error.wait} s.`);
  }
}

function fill(text) {
  $("question").value = text;
  fit();
}

/** As many rows as the question has lines, where the browser does not see to that itself. */
function fit() {
  $("question").rows = Math.min(6, $("question").value.split("\n").length);
}

function busy(on) {
  $("send").setAttribute("aria-disabled", on); // not disabled: it would lose the focus to nowhere
  if (!on && document.activeElement === $("stop")) $("question").focus();
  $("stop").hidden = !on;
}

function anew() {
  running?.abort();
  running = null;
  busy(false);
  forget();
  $("turns").replaceChildren();
  $("welcome").hidden = false;
  $("anew").hidden = true;
  $("question").focus();
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = $("question").value.trim();
  if (running || !question) return;
  fill("");
  ask(question);
});
$("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("ask").requestSubmit();
  }
});
$("question").addEventListener("input", fit);
$("layers").addEventListener("submit", (event) => event.preventDefault());
$("anew").addEventListener("click", anew);
$("stop").addEventListener("click", () => running?.abort());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) running?.abort();
});
start().catch((error) => {
  $("bundle").textContent = `the server does not answer: ${error.message}`;
});
