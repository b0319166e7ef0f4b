// Keeps a copy of one's lessons in this browser, and takes it away again; sw.js shows and renews it.
{
  const box = document.getElementById("keep");
  const { reader, pages, files } = box.dataset;
  const [keep, drop] = box.querySelectorAll("button");

  const say = (state) =>
    box.querySelectorAll("[data-keep]").forEach((part) => {
      part.hidden = !part.dataset.keep.split(" ").includes(state);
    });

  const dated = async (answer) =>
    new Response(await answer.blob(), {
      headers: {
        "content-type": answer.headers.get("content-type"),
        "content-security-policy": answer.headers.get("content-security-policy"),
        "x-kept": Date.now(),
      },
    });

  async function fill() {
    const wanted = pages.split(" ");
    await navigator.serviceWorker.register("/sw.js");
    const cache = await caches.open("kept");
    await cache.addAll(files.split(" "));
    for (const path of [...wanted, "/offline"]) {
      const answer = await fetch(path);
      if (answer.headers.get("x-reader") !== reader) throw new Error("somebody else");
      await cache.put(path, await dated(answer));
    }
    await cache.put("/kept", Response.json({ reader, pages: wanted })); // from here on it counts
  }

  async function begin() {
    if (!("serviceWorker" in navigator && "caches" in window)) return;
    keep.addEventListener("click", () =>
      fill().then(
        () => say("on"),
        () => caches.delete("kept").then(() => say("failed")),
      ),
    );
    drop.addEventListener("click", () => caches.delete("kept").then(() => say("off")));
    say((await caches.match("/kept", { cacheName: "kept" })) ? "on" : "off");
  }

  begin().catch(() => say("failed"));
}
