"""Going through a page with the Tab key alone."""

from dataclasses import dataclass

from playwright.sync_api import Page

MOST_STEPS = 400
# Everything that can be used; of radios of one name the browser stops at one only.
_INTERACTIVE = """() => {
  const names = new Set(), found = [];
  const all = 'a[href], button, input:not([type=hidden]), select, textarea, summary, '
    + '[tabindex="0"]';
  for (const each of document.querySelectorAll(all)) {
    if (each.disabled || each.closest('details:not([open]) > :not(summary)')) continue;
    if (!each.checkVisibility({ visibilityProperty: true })) continue;
    if (each.type === 'radio') {
      const key = (each.form ? [...document.forms].indexOf(each.form) : '') + each.name;
      if (names.has(key)) continue;
      names.add(key);
    }
    found.push(each);
  }
  found.forEach((each, n) => { each.dataset.n = each.type === 'radio' ? '' : n });
  return found.filter(x => x.type !== 'radio').map(x => [x.dataset.n, x.outerHTML.slice(0, 90)]);
}"""
_HERE = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const own = e => { const s = getComputedStyle(e), o = s.outlineStyle;
    return (o !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none' };
  const box = here.getBoundingClientRect();
  const shown = own(here) || [...(here.labels || [])].some(own);
  return [here.dataset.n || '', shown, here.outerHTML.slice(0, 90), box.width > 0];
}"""


@dataclass(frozen=True)
class Walk:
    unreached: list[str]
    unmarked: list[str]  # focus is there, and nothing shows it
    trapped: bool


def walk(page: Page) -> Walk:
    """Press Tab from the top until the page has been left."""
    wanted = dict(page.evaluate(_INTERACTIVE))
    page.evaluate("document.activeElement.blur()")
    seen: set[str] = set()
    unmarked = []
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here is None or (here[0] and here[0] in seen):
            unreached = [shown for number, shown in wanted.items() if number not in seen]
            return Walk(unreached, unmarked, trapped=False)
        seen.add(here[0])
        if not here[1]:
            unmarked.append(here[2])
    return Walk([], unmarked, trapped=True)


def skips(page: Page) -> bool:
    """Whether the first Tab and Enter lead past the header into the main part."""
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    return bool(page.evaluate("document.querySelector('main').contains(document.activeElement)"))
