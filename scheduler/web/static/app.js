// The buttons that copy and print, and taps in a grid of choices.  Everything else works by itself
// or by htmx.
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

// A tap in a cell goes one choice further; keys choose as in any list.
document.querySelectorAll(".pg .pick").forEach((pick) => {
  pick.classList.add("taps"); // now the cell hears the tap, and no list opens
  pick.parentElement.addEventListener("click", () => {
    pick.selectedIndex = (pick.selectedIndex + 1) % pick.length;
    pick.dispatchEvent(new Event("change", { bubbles: true }));
  });
});

// A sheet for the wall: browsers without scripts print by their own menu.
document.querySelectorAll("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
