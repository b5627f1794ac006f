// Every request to /v1 goes through here: with the key of this tab, where there is one.
// A key is asked for once the server refuses to go without, and what was asked goes on from there.
import { askFor, keep, kept } from "/page/key.js";

/** Sends `body` as JSON, or as it is where it has a `type`; gives the response, and when it was sent. */
export async function request(method, path, { body, type, signal } = {}) {
  for (;;) {
    const key = kept();
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    if (body) headers["Content-Type"] = type ?? "application/json";
    const began = performance.now();
    const options = { method, headers, body: type ? body : body && JSON.stringify(body), signal };
    const response = await fetch(`/v1/${path}`, options).catch((error) => {
      throw signal?.aborted ? error : new Error("the server does not answer");
    });
    if (response.status !== 401) return { response, began };
    if (key !== kept()) continue; // another request has asked for a key meanwhile
    const told = key && (await refusal(response.clone())).message;
    keep("");
    if (!(await askFor(told))) return { response, began };
  }
}

/** What a reply that is no answer tells, as an error; `wait` is the seconds that it asks to wait, or 0. */
export async function refusal(response) {
  const nothing = `the server answered ${response.status}`; // a proxy's page, say, instead of our JSON
  const told = await response.json().then((body) => body.error.message, () => nothing);
  return Object.assign(new Error(told), { wait: Number(response.headers.get("Retry-After")) || 0 });
}

document.getElementById("forget").addEventListener("click", () => {
  keep("");
  request("GET", "models").catch(() => {}); // asks for another key, and tries it; it is no matter if none comes
});
