"""The demo's accounts: a user, its API key, a login for the admin. Each is left alone when it is there."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from botgpt.accounts.models import ApiKey, User

from . import ADMIN_LOGIN, USERNAME

KEY_NAME = "demo"


def ensure_user() -> tuple[User, bool]:
    """The user that calls without credentials act as in development; it has no password. And whether it is new."""
    return User.objects.get_or_create(username=USERNAME, defaults={"password": make_password(None)})


def ensure_api_key(user: User) -> str | None:
    """The token of a new key; None when the user has had one, revoked or not."""
    if user.api_keys.filter(name=KEY_NAME).exists():
        return None
    return ApiKey.objects.issue(user=user, name=KEY_NAME)[1]


def admin_exists() -> bool:
    """Whether the name is taken."""
    return User.objects.filter(username=ADMIN_LOGIN.username).exists()


def create_admin(password: str) -> User:
    """A superuser."""
    return User.objects.create_superuser(ADMIN_LOGIN.username, email=None, password=password)
