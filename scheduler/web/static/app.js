// The manners of every page: each works without them.

// Parts are swapped after what is seen first (earlier, htmx would wait for what has been).
if (document.querySelector("[hx-get], [hx-post]")) {
  const htmx = document.createElement("script");
  htmx.src = document.currentScript.dataset.htmx;
  window.addEventListener("load", () => document.head.append(htmx));
}

document.querySelectorAll("[data-copy]").forEach((button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    button.lastElementChild.textContent = button.dataset.done;
    button.nextElementSibling.textContent = button.dataset.done;
  });
});

// A tap in a cell goes one choice further; keys choose as in any list.
document.querySelectorAll(".pg .pick").forEach((pick) => {
  pick.classList.add("taps");
  pick.parentElement.addEventListener("click", () => {
    pick.selectedIndex = (pick.selectedIndex + 1) % pick.length;
    pick.dispatchEvent(new Event("change", { bubbles: true }));
  });
});

document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});

// A form goes out once.
const running = new WeakMap();
const release = (form) => {
  running.get(form)?.classList?.remove("htmx-request");
  running.delete(form);
};
const hold = (form, button) => {
  button?.classList.add("htmx-request");
  running.set(form, button);
};

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    if (form.matches('[action="/sign-out"]')) window.caches?.delete("kept"); // see sw.js
    const lost = !navigator.onLine && form.method !== "dialog";
    if (!lost && !running.has(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (lost) tellLost(form);
  },
  true,
);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.target || form.method === "dialog") return;
  hold(form, event.submitter);
  setTimeout(release, 8000, form); // a file leaves the page
});
window.addEventListener("pageshow", () => [...document.forms].forEach(release)); // come back to

// What asks for itself again and again asks only while somebody may look.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[hx-trigger^=every]")) event.preventDefault();
});

document.addEventListener("htmx:beforeRequest", ({ target, detail }) => {
  if (target.matches("form")) hold(target, detail.requestConfig.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", ({ target }) => release(target));
["htmx:sendError", "htmx:timeout"].forEach((name) =>
  document.addEventListener(name, ({ target }) => {
    const form = target.closest("form");
    if (form) tellLost(form);
  }),
);

// What was chosen stays.
function tellLost(form) {
  document.getElementById("lost")?.remove();
  const words = document.getElementById("lost-words").content.cloneNode(true);
  form.before(words);
  document.getElementById("lost").focus();
}

// What was wrong is read first.
document.addEventListener("htmx:afterSettle", ({ target }) => {
  (target.id === "problems" ? target : target.querySelector("#problems"))?.focus();
});
