// The buttons that copy and print. Everything else on a page works by itself or by htmx.
document.querySelectorAll("[data-copy]").forEach((button) => {
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    button.lastElementChild.textContent = button.dataset.done;
    button.nextElementSibling.textContent = button.dataset.done; // the spoken copy
  });
});
// A sheet for the wall: browsers without scripts print by their own menu.
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
