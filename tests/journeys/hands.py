"""How a person uses a page: by thumb or mouse, or with the keys of the keyboard alone."""

from playwright.sync_api import Locator, Page

_SPARE = 3  # the end of the page, the browser's own bar, and the beginning again
_STOPS = """() => [...document.querySelectorAll(
  'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]',
)].filter(e => e.checkVisibility({ visibilityProperty: true })).length"""
# Whether focus is there, or on a radio of the same name, and on which side of focus it lies.
_AHEAD = """e => {
  const here = document.activeElement;
  const kin = here.type === 'radio' && e.type === 'radio'
    && here.name === e.name && here.form === e.form;
  if (here === e || kin) return 'here';
  const behind = here.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING;
  return here !== document.body && behind ? 'behind' : 'ahead';
}"""
# The words beside a box; of segments the radio itself lies over them, unseen.
_PRESSED = "e => e.labels.length && getComputedStyle(e).opacity !== '0' ? e.labels[0] : e"
_FOCUSED = "e => document.activeElement === e"
_SWAPS = "e => Boolean(window.htmx && e.form?.hasAttribute('hx-post'))"


class Hands:
    """Each deed fails where the page does not let a person do it."""

    def __init__(self, page: Page, *, keys: bool) -> None:
        self.page = page
        self.keys = keys

    def press(self, control: Locator) -> None:
        """A link, a button or a summary."""
        if not self.keys:
            control.click()
            return
        self.reach(control)
        self.page.keyboard.press("Enter")

    def send(self, control: Locator) -> None:
        """Press what leads to another page or swaps a part of this one, and wait for it."""
        control.wait_for()
        if control.evaluate(_SWAPS):
            with self.page.expect_response(lambda answer: answer.request.method == "POST"):
                self.press(control)
            return
        with self.page.expect_event("domcontentloaded"):
            self.press(control)

    def write(self, control: Locator, words: str) -> None:
        """Put these words where others may stand."""
        if not self.keys:
            control.fill(words)
            return
        self.reach(control)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(words)

    def pick(self, control: Locator, value: str) -> None:
        """An option of a list.  A cell of a grid goes one option further with each tap."""
        control.wait_for()
        values = control.evaluate("e => [...e.options].map(o => o.value)")
        if self.keys:
            self.reach(control)
            steps = values.index(value) - values.index(control.input_value())
            for _ in range(abs(steps)):
                self.page.keyboard.press("ArrowDown" if steps > 0 else "ArrowUp")
        elif "taps" in (control.get_attribute("class") or ""):
            cell = control.locator("..")
            for _ in values:
                if control.input_value() != value:
                    cell.click()
        else:
            control.select_option(value)
        assert control.input_value() == value

    def tick(self, control: Locator) -> None:
        """A box or a radio, by the words beside it."""
        self._turn(control, on=True)

    def clear(self, box: Locator) -> None:
        """A box that is ticked."""
        self._turn(box, on=False)

    def _turn(self, control: Locator, *, on: bool) -> None:
        control.wait_for(state="attached")
        if control.is_checked() is on:
            return
        if not self.keys:
            target = control.evaluate_handle(_PRESSED).as_element()
            assert target is not None
            target.click()
        elif control.get_attribute("type") == "radio":
            self._turn_to(control)
        else:
            self.reach(control)
            self.page.keyboard.press("Space")
        assert control.is_checked() is on

    def reach(self, control: Locator) -> None:
        """Tab, or Shift+Tab where it lies behind, until focus is on it."""
        control.wait_for(state="attached")
        for _ in range(int(self.page.evaluate(_STOPS)) + _SPARE):
            where = control.evaluate(_AHEAD)
            if where == "here":
                return
            self.page.keyboard.press("Tab" if where == "ahead" else "Shift+Tab")
        raise AssertionError(f"Tab does not reach {control}")

    def _turn_to(self, radio: Locator) -> None:
        """Arrow keys go round the radios of a name, and choose where they stop."""
        self.reach(radio)
        for _ in range(self.page.locator("input[type=radio]").count()):
            if radio.evaluate(_FOCUSED):
                break
            self.page.keyboard.press("ArrowDown")
        if not radio.is_checked():
            self.page.keyboard.press("Space")
