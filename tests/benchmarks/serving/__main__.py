"""`make bench` begins here."""

from __future__ import annotations

import django


def start() -> None:
    django.setup()
    from .main import main  # models can be imported only now

    main()


if __name__ == "__main__":
    start()
