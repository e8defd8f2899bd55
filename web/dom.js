// Builds pages out of text; nothing here takes markup.

/**
 * Makes an element. Properties are set as properties, `data-…`, `aria-…` and `role` as attributes; children are nodes or text.
 * @param {string} name @param {Record<string, unknown>} [properties] @param {...(Node | string | null | false | undefined)} children
 */
export function node(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (/^(data|aria)-|^role$/.test(key)) made.setAttribute(key, String(value));
    else made[key] = value;
  }
  made.append(...children.filter((child) => child || child === 0));
  return made;
}

/** Makes a `<dl>` of `[name, value, remark]`. */
export function definitions(className, entries) {
  return node("dl", { className }, ...entries.map(([name, value, remark]) =>
    node("div", {}, node("dt", {}, name), node("dd", {}, value), remark && node("dd", { className: "remark" }, remark))));
}

/** Replaces children and leaves the focus on the one with the same `data-key`: a refresh must not take it away. */
export function replace(parent, ...children) {
  const key = parent.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  parent.replaceChildren(...children.filter(Boolean));
  if (key !== undefined) [...parent.querySelectorAll("[data-key]")].find((made) => made.dataset.key === key)?.focus();
}

/** Makes a text to copy and the button that copies it. */
export function snippet(label, code) {
  const button = node("button", { type: "button", className: "copy", "aria-label": `Copy: ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      button.textContent = "Copied";
    } catch {
      // Without https there is no clipboard, so the text is selected for the keyboard to copy.
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  });
  const text = node("code", {}, code);
  return node("figure", { className: "snippet" },
    node("figcaption", {}, node("span", {}, label), button), node("pre", { tabIndex: 0, role: "region", "aria-label": label }, text));
}

/** Makes words that stand in the place of an answer. */
export function notice(kind, title, detail, ...more) {
  return node("div", { className: `notice ${kind}`, role: kind === "error" ? "alert" : "status" },
    node("h2", {}, title), detail && node("p", {}, detail), ...more);
}

/** Says what a key is missing, and what the button is for that asks for another one. */
const REFUSED = { 401: ["A key is needed", "Sign in"], 403: ["This key is not good for this page", "Use another key"] };

/** Returns true if only another key would help. @param {import("./api.js").Problem} problem */
export const isRefused = ({ status }) => status in REFUSED;

/** Says what went wrong, with a button to try again or to sign in. @param {import("./api.js").Problem} problem */
export function failure(problem, retry) {
  if (isRefused(problem)) {
    const [title, name] = REFUSED[problem.status];
    const other = node("button", { type: "button", "data-key": "sign-in" }, name);
    other.addEventListener("click", () => document.dispatchEvent(new CustomEvent("sign-in")));
    return notice("error", title, problem.detail, other);
  }
  const button = node("button", { type: "button", "data-key": "retry" }, "Try again");
  button.addEventListener("click", retry);
  return notice("error", problem.message, problem.detail, button);
}
