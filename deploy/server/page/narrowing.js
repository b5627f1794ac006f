// What questions are kept to: documents with a value of each filter that the store has, such as a product.
import { element, option } from "/page/reading.js";

const fields = document.getElementById("narrow");
const told = document.getElementById("narrowed");

/** Offers the values of each filter; what is chosen stays chosen as long as it is there. */
export function narrow(filters) {
  const before = where();
  const labels = Object.entries(filters).map(([name, values]) => {
    const label = element("label", "", `${name} `);
    const select = element("select");
    select.name = name;
    select.append(option("", "all"), ...values.map((value) => option(value, value)));
    select.value = values.includes(before[name]) ? before[name] : "";
    label.append(select);
    return label;
  });
  fields.querySelectorAll("label").forEach((label) => label.remove());
  fields.append(...labels);
  fields.hidden = labels.length === 0;
  tell();
}

/** The filters with a chosen value, as a request spells them. */
export function where() {
  const chosen = [...fields.querySelectorAll("select")].filter((select) => select.value);
  return Object.fromEntries(chosen.map((select) => [select.name, select.value]));
}

/** Beside the button of the drawer: who has forgotten a filter would take it for what the documents say. */
function tell() {
  const values = Object.entries(where()).map(([name, value]) => `${name} ${value}`);
  told.textContent = values.length ? `Only ${values.join(", ")}` : "";
}

fields.addEventListener("change", tell);
