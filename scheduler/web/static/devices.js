// Signs this browser up for messages.  Until it runs, and where it cannot, the page says what to do.
const desk = document.getElementById("this-device");
const form = desk.querySelector("form");

const say = (name) =>
  desk.querySelectorAll("[data-say]").forEach((part) => {
    part.hidden = part.dataset.say !== name;
  });

const letters = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const bytes = (word) =>
  Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
    letter.charCodeAt(0),
  );

async function mark(endpoint) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return [...new Uint8Array(digest)].map((each) => each.toString(16).padStart(2, "0")).join("");
}

// One that was made for a key we no longer have takes no message of ours.
async function known(worker) {
  const found = await worker.pushManager.getSubscription();
  const key = found?.options?.applicationServerKey;
  if (!found || !key || letters(key) === desk.dataset.key) return found;
  await found.unsubscribe();
  return null;
}

async function begin() {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
  const worker = await navigator.serviceWorker.register("/sw.js");
  const found = await known(worker);
  const row = found && document.getElementById(`d-${await mark(found.endpoint)}`);
  if (row) row.querySelector("[data-this]").hidden = false;
  say(row ? "on" : Notification.permission === "denied" ? "denied" : "off");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    subscribe().catch(() => say("failed"));
  });
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") {
    say("denied");
    return;
  }
  const worker = await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(desk.dataset.key),
  });
  form.elements.endpoint.value = made.endpoint;
  form.elements.p256dh.value = letters(made.getKey("p256dh"));
  form.elements.auth.value = letters(made.getKey("auth"));
  form.submit();
}

begin().catch(() => say("failed"));
