// Asks for a reader key where the server needs one, and keeps it for as long as this tab's session lasts.

import { node } from "./dom.js";

const STORAGE_KEY = "heatstrip.key";

/** The key where storage is refused. */
let remembered = "";

function key() {
  try {
    return sessionStorage.getItem(STORAGE_KEY) ?? remembered;
  } catch {
    return remembered;
  }
}

/** Returns true if there is a key, so that one is needed. */
export const hasKey = () => Boolean(key());

/** Returns the header that a question carries, if there is a key. */
export function authorization() {
  const known = key();
  return known ? { authorization: `Bearer ${known}` } : {};
}

/** Asks for a key, unless it is being asked for. @param {{refused?: boolean}} [why] the key that is used was refused */
export function signIn({ refused = false } = {}) {
  if (document.querySelector("dialog.sign-in")) return;
  const input = node("input", {
    type: "password", name: "key", required: true, autocomplete: "off", spellcheck: false, pattern: "hs[rs]_[A-Za-z0-9_\\-]{43}",
    title: "A key is hsr_ or hss_ and 43 characters", placeholder: "hsr_…",
  });
  const form = node("form", { method: "dialog" },
    node("h2", {}, "This heatstrip needs a key"),
    node("p", {}, refused && key() ? "The key is not known, or was revoked. " : "", "Whoever runs it makes one with", node("code", {}, "heatstrip keys create --role reader --name NAME")),
    node("label", {}, "Reader key", input),
    node("div", { className: "actions" },
      node("button", { type: "submit", className: "first" }, "Sign in"), node("span", { className: "remark" }, "It is kept until this tab is closed.")));
  const dialog = node("dialog", { className: "sign-in" }, form);
  form.addEventListener("submit", () => {
    remembered = input.value.trim();
    try {
      sessionStorage.setItem(STORAGE_KEY, remembered);
    } catch {
      // Then it is kept until the page is left.
    }
    dialog.remove();
    document.dispatchEvent(new CustomEvent("signed-in"));
  });
  // Whoever closes it finds a button in the place of the answer.
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
