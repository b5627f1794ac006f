// The key of this tab, and the small form that asks for one.

const PLACE = "threeply.key";
const $ = (id) => document.getElementById(id);
let storage = null;
try {
  storage = sessionStorage; // this tab alone, until it is closed
} catch {
  // Blocked, as cookies are: the key lasts as long as the page does.
}
let key = "";
let asking = null;

/** The key to send, or "" where there is none. */
export function kept() {
  return key;
}

/** Keeps `secret` as the key; "" forgets it. */
export function keep(secret) {
  key = secret;
  if (secret) storage?.setItem(PLACE, secret);
  else storage?.removeItem(PLACE);
  $("forget").hidden = !secret;
}

/** Asks for a key, and keeps it; whether one was given. `told` is why the one before was refused, or "". */
export function askFor(told) {
  asking ??= new Promise((resolve) => {
    $("key-told").textContent = told && `The key was refused: ${told}`;
    $("key").addEventListener("close", () => {
      $("secret").value = "";
      asking = null;
      resolve(key !== "");
    }, { once: true });
    $("key").showModal();
  });
  return asking;
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keep($("secret").value.replace(/[^!-~]/g, "")); // the rest no header can hold, nor is it in a key
  $("key").close();
});
$("without").addEventListener("click", () => $("key").close());
keep(storage?.getItem(PLACE) ?? "");
