"""What the dashboard's address asks for: a period, a user, a model. What makes no sense is said and passed over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django import forms

from botgpt.accounts.models import User
from llm.analytics import Question
from llm.limits import today

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PERIODS: Final = {"1": "Today", "7": "7 days", "30": "30 days", "90": "90 days", "365": "365 days"}
USUAL: Final = "30"
MOST_DAYS: Final = 366
A_DAY: Final = dt.timedelta(days=1)


class FilterForm(forms.Form):
    """The fields of the address, each good or not by itself."""

    days = forms.ChoiceField(choices=PERIODS.items(), required=False)
    to = forms.DateField(required=False)
    user = forms.CharField(required=False, max_length=150)
    model = forms.CharField(required=False, max_length=251)

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__(data)
        self.fields["from"] = forms.DateField(required=False)  # a word that Python keeps for itself


@dataclass(frozen=True, slots=True)
class Asked:
    """What is shown.

    Attributes:
        days: the chosen one of `PERIODS`; empty for a period between two days.
        user: the username, empty for everybody's.
        model: as `provider/model`, empty for all.
        problems: what of the address could not be followed, in sentences.
    """

    question: Question
    days: str = USUAL
    user: str = ""
    model: str = ""
    problems: tuple[str, ...] = ()

    @property
    def before(self) -> Question:
        """The same for the period of the same length before."""
        length = (self.question.last - self.question.first) + A_DAY
        first, last = self.question.first - length, self.question.first - A_DAY
        return Question(first, last, user_id=self.question.user_id, model=self.question.model)

    @property
    def query(self) -> str:
        """As an address says it; the last days as such, so that a bookmark stays of the last days."""
        period: dict[str, Any] = {"days": self.days}
        if not self.days:
            period = {"from": self.question.first, "to": self.question.last}
        return urlencode(period | {name: value for name in ("user", "model") if (value := getattr(self, name))})

    @property
    def period(self) -> str:
        """For headings."""
        first, last = self.question.first, self.question.last
        return f"{first}" if first == last else f"{first} to {last}"


def asked(data: Mapping[str, str], *, models: Collection[str]) -> Asked:
    """Read the address.

    Args:
        models: those there are to choose from.
    """
    form = FilterForm(data)
    form.is_valid()
    given, problems = form.cleaned_data, [_problem(name, data) for name in form.errors]
    days, first, last = _period(given, problems)
    username, user_id = given.get("user") or "", None
    if username:
        user_id = User.objects.filter(username=username).values_list("pk", flat=True).first()
        if user_id is None:
            problems.append(f"There is no user “{username}”. All users are shown.")
            username = ""
    model = given.get("model") or ""
    if model and model not in models:
        problems.append(f"The model “{model}” was not called in the last year. All models are shown.")
        model = ""
    provider, _, name = model.partition("/")
    question = Question(first, last, user_id=user_id, model=(provider, name) if model else None)
    return Asked(question, days=days, user=username, model=model, problems=tuple(problems))


def _period(given: Mapping[str, Any], problems: list[str]) -> tuple[str, dt.date, dt.date]:
    """The chosen one of the periods, if it is one, and its first and last day; a problem is added to the others."""
    days: str = given.get("days") or USUAL
    length = (int(days) - 1) * A_DAY
    last: dt.date = given.get("to") or today()
    first: dt.date = given.get("from") or max(last, dt.date.min + length) - length
    if not (given.get("to") or given.get("from")) or not {"to", "from"} <= given.keys():
        return days, today() - length, today()
    if problem := _wrong_period(first, last):
        problems.append(problem)
        return USUAL, *_period({}, [])[1:]
    return "", first, last


def _wrong_period(first: dt.date, last: dt.date) -> str:
    usual = f"The last {USUAL} days are shown."
    if first > last:
        return f"The first day, {first}, is after the last, {last}. {usual}"
    if last > today():
        return f"The last day, {last}, is yet to come; days are in UTC. {usual}"
    if (last - first).days >= MOST_DAYS:
        return f"A period has at most {MOST_DAYS} days. {usual}"
    return ""


def _problem(name: str, data: Mapping[str, str]) -> str:
    value = str(data.get(name, ""))[:50]
    if name == "days":
        return f"“{value}” is none of the periods, which are {', '.join(PERIODS)} days. The last {USUAL} are shown."
    if name in {"from", "to"}:
        return f"“{value}” is no day, such as 2026-05-20. The last {USUAL} days are shown."
    return f"“{value}” is too long for a {name}, or has characters that none has. It was passed over."
