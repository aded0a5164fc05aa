"""What people do on the chat page, in their words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, ViewportSize

DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}


@dataclass(frozen=True, slots=True)
class ChatPage:
    """The chat page in a browser."""

    page: Page
    excuses: list[str] = field(default_factory=list)  # parts of what the browser may say against it

    def begin(self, mode: str = "Open") -> None:
        """A new conversation of this kind."""
        self.page.goto("/")
        expect(self.page.get_by_role("checkbox").first).to_be_visible()
        self.page.get_by_label(mode).check()

    def ask(self, text: str) -> None:
        self.box.fill(text)
        self.box.press("Enter")

    def answered(self, text: str) -> None:
        """The last reply is this one, and it has ended."""
        expect(self.replies.last.locator(".body")).to_have_text(text)
        expect(self.replies.last).to_have_attribute("aria-busy", "false")
        expect(self.page.get_by_role("button", name="Send")).to_be_visible()

    def talk(self, question: str, answer: str, *, mode: str = "Open") -> None:
        """A new conversation of one turn."""
        self.begin(mode)
        self.ask(question)
        self.answered(answer)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Your question", exact=True)

    @property
    def questions(self) -> Locator:
        return self.page.locator(".message.user")

    @property
    def replies(self) -> Locator:
        return self.page.locator(".message.assistant")

    @property
    def conversation_id(self) -> int:
        """The number in the address."""
        return int(self.page.url.rpartition("/c/")[2])
