"""What a person does in a VS Code window, and what is seen there. The selectors are those of the pinned VS Code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Error, FloatRect, FrameLocator, Locator, Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

SIZE: ViewportSize = {"width": 1200, "height": 760}
PATIENCE = 30_000
OPENING = 60_000
TRIES = 6
MARGIN = 16


class Window:
    """One browser window on a folder, with one file open in it."""

    def __init__(self, browser: Browser, url: str, folder: Path, file: str, pictures: Path) -> None:
        self.folder, self.pictures = folder, pictures
        context = browser.new_context(viewport=SIZE, locale="en-US", device_scale_factor=1.5)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        self.outside: list[str] = []
        context.on("request", lambda request: self._note(request.url))
        self.page.on("websocket", lambda websocket: self._note(websocket.url))
        authority = url.removeprefix("http://")
        payload = json.dumps([["openFile", f"vscode-remote://{authority}{folder / file}"]])
        self.page.goto(f"{url}/?folder={quote(str(folder))}&payload={quote(payload)}", timeout=OPENING)
        self.editor = self.page.locator(f'.editor-instance .monaco-editor[data-uri$="/{file}"]')
        self.path = folder / file
        self.editor.locator(".view-line").first.wait_for(timeout=OPENING)
        self.editor.locator(".view-line").first.click()
        self.press("Control+Home")

    def close(self) -> None:
        self.page.context.close()

    def _note(self, url: str) -> None:
        if re.match(r"(http|ws)s?://(?!127\.0\.0\.1[:/])", url):
            self.outside.append(url)

    # What is done

    def go_to(self, text: str) -> None:
        """Puts the cursor in front of a text of the file as it was saved last."""
        before = self.path.read_text(encoding="utf-8").partition(text)[0]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        self.page.keyboard.press("Control+g")
        field = self.page.locator(".quick-input-widget input")
        field.fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        field.wait_for(state="hidden")
        self.page.locator(".monaco-editor.focused").wait_for()
        self.page.locator(f'.statusbar-item[aria-label="Ln {line}, Col {column}"]').wait_for()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def command(self, title: str) -> None:
        """Runs a command from the palette."""
        self.press("F1")
        field = self.page.locator(".quick-input-widget input")
        field.fill(f">{title}")
        row = self.page.locator(".quick-input-widget .monaco-list-row.focused", has_text=title)
        row.wait_for()
        self.press("Enter")
        field.wait_for(state="hidden")

    def lens(self, title: str) -> None:
        """Presses the first code lens of this title."""
        self.editor.locator(".codelens-decoration a", has_text=title).first.click()

    def quick_fix(self, title: str) -> Locator:
        """Opens the menu of code actions at the cursor; the entry that has this title."""
        entry = self.page.locator(".action-widget .monaco-list-row.action", has_text=title)
        self.insist(lambda: self.press("Control+."), entry)
        return entry

    def suggest(self, title: str) -> Locator:
        """Opens the suggestions at the cursor; the entry that has this title."""
        entry = self.page.locator(f'.suggest-widget.visible .monaco-list-row[aria-label*="{title}"]')
        self.insist(lambda: self.press("Control+Space"), entry)
        return entry

    def insist(self, gesture: Callable[[], None], wanted: Locator) -> None:
        """Repeats a gesture until something shows up."""
        # VS Code forgets what a key asked for when it asks on its own, a moment after the cursor or the markers changed,
        # and what it asked for on save when some extension that starts meanwhile offers code actions too.
        for _ in range(TRIES):
            gesture()
            try:
                wanted.first.wait_for(timeout=4_000)
                return
            except PlaywrightTimeout:
                continue
        wanted.first.wait_for(timeout=1)

    def save(self) -> str:
        """Saves what was changed; what is in the file then."""
        expect(self._tab).to_contain_class("dirty")
        self.press("Control+s")
        return self.saved()

    def saved(self) -> str:
        """Waits until nothing is left to save; what is in the file then."""
        expect(self._tab).not_to_contain_class("dirty")
        return self.path.read_text(encoding="utf-8")

    @property
    def _tab(self) -> Locator:
        return self.page.locator(".tabs-container .tab.active")

    def visit(self, address: str) -> None:
        """Asks in another tab for a page that cannot be had."""
        other = self.page.context.new_page()
        with suppress(Error):
            other.goto(address)
        other.close()

    # What is seen

    def squiggles(self, count: int) -> Locator:
        """Waits until so many are drawn."""
        drawn = self.editor.locator(".squiggly-error, .squiggly-warning, .squiggly-info")
        expect(drawn).to_have_count(count)
        return drawn

    def hover(self, text: str) -> Locator:
        """Rests on the first squiggle until a text shows up."""
        shown = self.page.locator(".monaco-hover:not(.hidden)", has_text=text)
        self.insist(lambda: self._move_onto(self.squiggles(1)), shown)
        return shown

    def _move_onto(self, target: Locator) -> None:
        self.page.mouse.move(0, 0)
        target.first.hover(force=True)

    def activation(self, extension: str) -> int:
        """How long VS Code says it took to load and activate an extension, in milliseconds."""
        self.command("Developer: Show Running Extensions")
        row = self.page.locator(".runtime-extensions-editor .monaco-list-row", has_text=extension)
        told = row.get_by_text(re.compile(r"Activation: \d+ms")).first.inner_text()
        return int(told.partition("Activation: ")[2].partition("ms")[0])

    def lit(self, count: int) -> None:
        """Waits until so many lines are lit."""
        expect(self.editor.locator(".view-overlays [class*=TextEditorDecorationType]")).to_have_count(count)

    def clipboard(self) -> str:
        """The text that was copied last; the window needs the permission to read it."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def web_page(self) -> FrameLocator:
        """The inside of the web view that is open."""
        return self.page.frame_locator("iframe.webview.ready").frame_locator("iframe#active-frame")

    def line(self, text: str) -> Locator:
        """The lines of the editor that have this text."""
        return self.editor.locator(".view-line > span", has_text=text)

    def picture(self, name: str, *parts: Locator) -> None:
        """Keeps the window as a PNG, or so much of it as has these parts."""
        boxes = [box for part in parts if (box := part.first.bounding_box())]
        self.page.screenshot(path=self.pictures / f"{name}.png", clip=_around(boxes) if boxes else None)


def _around(boxes: Sequence[FloatRect]) -> FloatRect:
    left, top = min(box["x"] for box in boxes) - MARGIN, min(box["y"] for box in boxes) - MARGIN
    right = max(box["x"] + box["width"] for box in boxes) + MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}
