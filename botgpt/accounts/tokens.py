"""JSON web tokens: issued for a password, renewed once each, and void when the password or the user is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.utils import get_md5_hash_password

from .models import User

if TYPE_CHECKING:
    from rest_framework_simplejwt.token_blacklist.models import OutstandingToken


class RefreshToken(tokens.RefreshToken):
    """A refresh token that is stored only once it is spent.

    The library stores each when it is issued, in clear; who reads the database could use them.
    """

    @classmethod
    def for_user(cls, user: Any) -> Self:
        return super(tokens.BlacklistMixin, cls).for_user(user)

    def outstand(self) -> OutstandingToken | None:
        return None

    def spend(self) -> None:
        """Make it unusable.

        Raises:
            TokenError: it was before. Of two callers at once, one gets here: the database's unique constraint decides.
        """
        outcome: Any = self.blacklist()  # get_or_create's pair, which the library's hint forgets
        if not outcome[1]:
            raise TokenError("Token is blacklisted")


def issue(user: User) -> dict[str, str]:
    """An access and a refresh token for a user who has logged in."""
    refresh = RefreshToken.for_user(user)
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def renew(token: str) -> dict[str, str]:
    """A new pair for a refresh token, which is spent by that.

    Raises:
        TokenError: it is invalid, expired or spent, or its user is no longer active or has another password.
    """
    refresh = RefreshToken(token)  # type: ignore[arg-type]  # the library's hint says Token
    user = User.objects.filter(pk=refresh.get(api_settings.USER_ID_CLAIM), is_active=True).first()
    if user is None or refresh.get(api_settings.REVOKE_TOKEN_CLAIM) != get_md5_hash_password(user.password):
        raise TokenError("The user has changed")
    refresh.spend()
    return issue(user)


def revoke(token: str) -> None:
    """Spend a refresh token without a new one. One that is void already stays so."""
    try:
        RefreshToken(token).spend()  # type: ignore[arg-type]
    except TokenError:
        return
