// Files that become documents: dragged onto the page, and read as text, or refused in a sentence.

const LONGEST = 250_000; // bytes; the server's limit (serve.max_body_bytes) has room for little more
const LONGEST_TITLE = 300; // characters, as in the server
const target = document.getElementById("drop");

/** The document that a file holds: its name, title and text; throws what is wrong with the file. */
export async function read(file) {
  if (file.size > LONGEST) {
    const size = Math.ceil(file.size / 1000);
    throw new Error(`this is too large: it has ${size} kB, and ${LONGEST / 1000} kB are allowed`);
  }
  const bytes = await file.arrayBuffer().catch(() => {
    throw new Error("this cannot be read: it is a folder, or it is gone");
  });
  const text = decoded(bytes);
  if (text.includes("\0")) throw new Error("this is no text: it holds a NUL");
  if (!text.trim()) throw new Error("this is empty");
  return { name: file.name, title: heading(text) ?? file.name, text };
}

function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("this is no text in UTF-8; if it is text, save it as UTF-8 and add it again");
  }
}

/** The first heading of the first level, or null. */
function heading(text) {
  const prose = text.replace(/^(```|~~~)[^]*?^\1/gm, ""); // a # in a block of code is a comment
  const words = /^ {0,3}#[ \t]+(.*?)[ \t]*#*[ \t]*$/m.exec(prose)?.[1];
  return words ? [...words].slice(0, LONGEST_TITLE).join("") : null;
}

/** Gives the files that are dropped anywhere to `take`, as long as `wanted()`; a target shows meanwhile. */
export function onDrop(wanted, take) {
  const fits = (event) => wanted() && event.dataTransfer?.types.includes("Files"); // a selected text has none
  document.addEventListener("dragover", (event) => {
    if (!fits(event)) return;
    event.preventDefault(); // or else the browser would show the file instead of the page
    event.dataTransfer.dropEffect = "copy";
    if (!target.matches(":popover-open")) target.showPopover(); // a popover, to be above an open dialog
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) hide(); // out of the window, and not from one part of it to another
  });
  document.addEventListener("drop", (event) => {
    hide();
    if (!fits(event)) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

function hide() {
  if (target.matches(":popover-open")) target.hidePopover();
}
