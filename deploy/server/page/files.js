// Files that become documents: dragged onto the page, and sent as they are; the server reads them.

const LARGEST = 20_971_520; // bytes; the server's usual limit (serve.max_document_bytes)
const TYPES = {
  md: "text/markdown",
  markdown: "text/markdown",
  html: "text/html",
  htm: "text/html",
  xhtml: "application/xhtml+xml",
  pdf: "application/pdf",
};
const target = document.getElementById("drop");

/** What is sent of a file: its bytes, and what kind of text they are; throws what is wrong with the file. */
export async function read(file) {
  if (file.size > LARGEST) {
    const size = Math.ceil(file.size / 2 ** 20);
    throw new Error(`this is too large: it has ${size} MiB, and ${LARGEST / 2 ** 20} MiB are allowed`);
  }
  const body = await file.arrayBuffer().catch(() => {
    throw new Error("this cannot be read: it is a folder, or it is gone");
  });
  // What has another ending is text, or is refused as none.
  return { body, type: TYPES[file.name.split(".").pop().toLowerCase()] ?? "text/plain" };
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
