// Passkeys: each form asks what is to be signed, lets the device sign it, and is sent.  Where the
// browser has none, its form stays hidden and the page does without.
const letters = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const bytes = (word) =>
  Uint8Array.from(atob(word.replaceAll("-", "+").replaceAll("_", "/")), (letter) =>
    letter.charCodeAt(0),
  );

const named = (list = []) => list.map((each) => ({ ...each, id: bytes(each.id) }));

// Browsers before 2024 cannot read the options, or write the answer, by themselves.
function read(options) {
  const read = { ...options, challenge: bytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: bytes(options.user.id) };
  if (options.allowCredentials) read.allowCredentials = named(options.allowCredentials);
  if (options.excludeCredentials) read.excludeCredentials = named(options.excludeCredentials);
  return read;
}

function written(made) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]) {
    if (made.response[part]) response[part] = letters(made.response[part]);
  }
  return JSON.stringify({ id: made.id, rawId: letters(made.rawId), type: made.type, response });
}

async function sign(form) {
  const body = new URLSearchParams({ csrf: form.elements.csrf.value });
  const asked = await fetch(form.dataset.ask, { method: "POST", body });
  if (!asked.ok) throw new Error(asked.statusText);
  const publicKey = read(await asked.json());
  const made = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.credential.value = written(made);
  form.submit();
}

document.querySelectorAll("form[data-passkey]").forEach((form) => {
  if (!window.PublicKeyCredential) return;
  form.hidden = false;
  const failed = form.querySelector("[data-say]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    failed.hidden = true;
    sign(form).catch(() => {
      failed.hidden = false;
    });
  });
});
