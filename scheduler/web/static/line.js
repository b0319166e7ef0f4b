// Measures the line by our own answers and those of the meeting hosts; its words are the page's.
const form = document.getElementById("line");
const button = form.querySelector("button");
const bar = form.querySelector("progress");
const parts = (name) => [...document.querySelectorAll(`[data-${name}]`)];
const say = (...names) =>
  parts("say").forEach((part) => (part.hidden = !names.includes(part.dataset.say)));
const number = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });

function tell(name, ...values) {
  const part = document.getElementById(name);
  part.textContent = part.dataset.words.replace(/\{(\d)\}/g, (_, n) => number.format(values[n]));
  part.parentElement.hidden = false;
}

async function ask(url, patience, more, read) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(url, { cache: "no-store", signal: stop.signal, ...more });
    if (answer.status === 429) throw answer;
    return await read(answer);
  } finally {
    clearTimeout(timer);
  }
}

async function ping() {
  const begun = performance.now();
  return ask("/line/ping", 3000, {}, ({ status }) => {
    if (status !== 204) throw status;
    return performance.now() - begun;
  });
}

const unlessTooMany = (error) => {
  if (error.status === 429) throw error;
};

async function trips() {
  await ping().catch(unlessTooMany); // opens the connection
  const took = [];
  for (let n = 1; n <= 20; n++) {
    const trip = await ping().catch(unlessTooMany);
    if (trip !== undefined) took.push(trip);
    if (n === 5 && !took.length) throw n;
    bar.value = n;
  }
  return took.sort((one, other) => one - other);
}

// Mbit/s, of as much as comes in ten seconds.
async function speed(trip) {
  const begun = performance.now();
  let got = 0;
  await ask("/line/bytes", 10000, {}, async ({ body }) => {
    const reader = body.getReader();
    for (let part; !(part = await reader.read()).done; ) got += part.value.length;
  }).catch(unlessTooMany);
  return (got * 8) / Math.max(1, performance.now() - begun - trip) / 1000;
}

async function reached(room) {
  let moved = false; // it answered with another address, which the page may not follow
  const see = ({ blockedURI }) => (moved ||= blockedURI.startsWith(room));
  document.addEventListener("securitypolicyviolation", see);
  const how = { mode: "no-cors", credentials: "omit", referrerPolicy: "no-referrer" };
  const answered = await ask(room, 5000, how, () => true).catch(
    () => new Promise((go) => setTimeout(() => go(moved), 50)),
  );
  document.removeEventListener("securitypolicyviolation", see);
  return answered;
}

async function test() {
  parts("words").forEach((part) => (part.parentElement.hidden = true));
  const took = await trips();
  const trip = took[took.length >> 1];
  tell("trip", trip, took[took.length - 1]);
  tell("lost", 20 - took.length);
  const rate = await speed(trip);
  tell("rate", rate);
  bar.value = 22;
  let shut = false;
  for (const part of parts("room")) {
    const open = await reached(part.dataset.room);
    shut ||= !open;
    part.querySelectorAll("[data-open]").forEach((mark) => {
      mark.hidden = mark.dataset.open !== String(open);
    });
  }
  const within = (name) => {
    const [most, lost, least] = form.dataset[name].split(" ").map(Number);
    return trip <= most && (20 - took.length) * 5 <= lost && rate >= least;
  };
  const found = ["good", "fair"].find(within) || "bad";
  return shut ? ["room", found === "bad" && found] : [found];
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!bar.parentElement.hidden) return;
  bar.value = 0;
  say("running");
  button.classList.add("htmx-request");
  const found = await test().catch((error) => [error.status === 429 ? "many" : "cut"]);
  button.classList.remove("htmx-request");
  button.lastElementChild.textContent = button.dataset.again;
  say(...found);
});
