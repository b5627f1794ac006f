// Reads a streamed chat completion, and turns texts into elements.
// Text from a person, the model or a document only ever becomes text nodes: nothing of it is parsed as HTML.

/** Yields each event's JSON until the stream ends; throws what the server reports as an error. */
export async function* chunks(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new Error(chunk.error.message);
      yield chunk;
    }
  }
}

/** Nodes for an answer: `backticks` become code, [n] a button for `open(n)` where a source n was shown. */
export function reading(text, numbers, open) {
  const nodes = [];
  for (const part of text.split(/(`[^`\n]+`|\[\d{1,3}\])/)) {
    const mark = /^\[(\d+)\]$/.exec(part);
    if (mark && numbers.has(Number(mark[1]))) {
      const number = Number(mark[1]);
      const button = element("button", "mark", mark[1]);
      button.type = "button";
      button.title = `Show source ${number}`;
      button.setAttribute("aria-label", `Source ${number}`);
      button.addEventListener("click", () => open(number));
      nodes.push(button);
    } else if (/^`[^`]+`$/.test(part)) {
      nodes.push(element("code", "", part.slice(1, -1)));
    } else if (part) {
      nodes.push(document.createTextNode(part));
    }
  }
  return nodes;
}

/** Nodes for a question. Its backticks stay to be seen: who types what is shown asks the same. */
export function typed(text) {
  const parts = text.split(/(`[^`\n]+`)/); // every other one is code
  return parts.map((part, place) => (place % 2 ? element("code", "", part) : document.createTextNode(part)));
}

/** A new element with a class and a text. */
export function element(name, kind = "", text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  if (text) made.textContent = text;
  return made;
}

/** A new option of a select. */
export function option(value, words) {
  return Object.assign(element("option", "", words), { value });
}
