// The drawer of documents: what was added while serving. Its button shows where the server lets it be changed.
import { onDrop, read } from "/page/files.js";
import { narrow } from "/page/narrowing.js";
import { element } from "/page/reading.js";
import { refusal, request } from "/page/requests.js";

const $ = (id) => document.getElementById(id);
let names = new Set(); // of what was added
let changes = Promise.resolve(); // one after the other, so that the list is that of the last one

/** Shows what was added. */
async function look() {
  const { response } = await request("GET", "documents");
  const told = response.ok ? await response.json() : { data: [] };
  names = new Set(told.data.map((each) => each.id));
  $("in-bundle").textContent = response.ok ? `The bundle has ${count(told.in_bundle, "document")}.` : "";
  const focused = $("added").contains(document.activeElement);
  $("added").replaceChildren(...told.data.map(row));
  narrow(told.filters ?? {});
  if (focused) $("choose").focus(); // the button that had it is gone
  if (!response.ok) throw await refusal(response);
}

/** Changes a document; gives what the server tells of it, and throws what it refuses. */
async function change(method, name, sent = {}) {
  const path = name.split("/").map(encodeURIComponent).join("/");
  const { response } = await request(method, `documents/${path}`, sent);
  if (!response.ok) throw await refusal(response);
  return response.json();
}

async function add(files) {
  const said = [];
  $("troubles").replaceChildren();
  for (const file of files) {
    say([...said, `Adding ${file.name}…`]);
    try {
      const verb = names.has(file.name) ? "Replaced" : "Added";
      const told = await change("PUT", file.name, await read(file));
      said.push(`${verb} ${file.name}: ${count(told.passages, "passage")}.`);
      for (const note of told.notes) trouble(`${file.name}: ${note}`);
      await look();
    } catch (error) {
      trouble(`${file.name}: ${error.message}`);
    }
  }
  if (said.length) said.push(said.length === 1 ? "Ask about it." : "Ask about them.");
  say(said);
}

async function remove(name) {
  $("troubles").replaceChildren();
  try {
    await change("DELETE", name);
    await look().finally(() => say([`Deleted ${name}.`])); // once the list is without it
  } catch (error) {
    trouble(`${name}: ${error.message}`);
  }
}

function row({ id, title, passages }) {
  const item = element("li");
  const words = element("div");
  const about = [title === id ? "" : id, count(passages, "passage")].filter(Boolean).join(", ");
  words.append(element("strong", "", title), element("span", "faint", about));
  item.append(words, deleting(id));
  return item;
}

/** A button that deletes at its second press; leaving it takes the first one back. */
function deleting(name) {
  const button = element("button", "quiet");
  let sure = false;
  const ask = (on) => {
    sure = on;
    button.textContent = on ? "Really delete?" : "Delete";
    button.setAttribute("aria-label", `${button.textContent} ${name}`);
    button.classList.toggle("sure", on);
  };
  ask(false);
  button.type = "button";
  button.addEventListener("click", () => {
    if (sure) queue(() => remove(name));
    ask(!sure);
  });
  button.addEventListener("blur", () => ask(false));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !sure) return;
    event.preventDefault(); // the drawer stays open
    ask(false);
  });
  return button;
}

function open() {
  if ($("drawer").open) return;
  say([]);
  $("troubles").replaceChildren();
  $("drawer").showModal();
}

function queue(step) {
  changes = changes.then(step);
}

function say(sentences) {
  $("done").textContent = sentences.join(" ");
}

function trouble(sentence) {
  $("troubles").append(element("p", "", sentence));
}

function count(number, name) {
  return `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
}

$("documents").addEventListener("click", () => {
  open();
  queue(() => look().catch((error) => trouble(error.message)));
});
$("close").addEventListener("click", () => $("drawer").close());
$("drawer").addEventListener("click", (event) => {
  const beside = event.clientX < $("drawer").getBoundingClientRect().left;
  if (beside && event.target === $("drawer")) $("drawer").close(); // a button's Enter is a click at 0, too
});
$("choose").addEventListener("click", () => $("files").click());
$("files").addEventListener("change", () => {
  const files = [...$("files").files];
  $("files").value = ""; // the same file can be chosen again once it has changed
  queue(() => add(files));
});
onDrop(() => !$("documents").hidden && !$("key").open, (files) => {
  open();
  queue(() => look().catch((error) => trouble(error.message))); // or a replaced one would be told as added
  queue(() => add(files));
});
