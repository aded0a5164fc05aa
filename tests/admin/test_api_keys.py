"""API keys in the admin: the token is shown once, the digest never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from botgpt.accounts.models import ApiKey

if TYPE_CHECKING:
    from django.test import Client

    from botgpt.accounts.models import User

    from .conftest import World

KEYS = "/admin/accounts/apikey/"


def create(browser: Client, user: User, **fields: object) -> str:
    """The page that follows the creation of a key."""
    given = {"user": user.pk, "name": "CI", "scopes": ["read"], "expires_at_0": "", "expires_at_1": ""}
    response = browser.post(f"{KEYS}add/", given | fields, follow=True)
    assert response.redirect_chain, response.content.decode()
    return response.content.decode()


def shown_token(page: str) -> str:
    return page.partition('<code class="token">')[2].partition("</code>")[0]


def test_the_token_is_shown_once_and_works(admin_client: Client, alice: User) -> None:
    page = create(admin_client, alice)
    token = shown_token(page)
    key = ApiKey.objects.get()
    assert ApiKey.objects.find(token) == key
    assert (key.user, key.name, key.scopes, key.expires_at) == (alice, "CI", ["read"], None)
    for again in (KEYS, f"{KEYS}{key.pk}/change/", reverse("admin:accounts_user_change", args=[alice.pk])):
        seen = admin_client.get(again).content.decode()
        assert key.prefix in seen
        assert token not in seen
        assert key.digest not in seen


def test_a_key_can_expire(admin_client: Client, alice: User) -> None:
    create(admin_client, alice, expires_at_0="2030-01-31", expires_at_1="12:00:00")
    assert ApiKey.objects.get().expires_at.isoformat() == "2030-01-31T12:00:00+00:00"  # type: ignore[union-attr]


def test_a_key_can_have_a_limit_of_its_own(admin_client: Client, alice: User) -> None:
    create(admin_client, alice, calls_per_minute="5")
    assert ApiKey.objects.get().calls_per_minute == 5


def test_a_key_without_scopes_is_refused(admin_client: Client, alice: User) -> None:
    response = admin_client.post(f"{KEYS}add/", {"user": alice.pk, "name": "CI"})
    assert "This field is required." in response.content.decode()
    assert not ApiKey.objects.exists()


def test_changing_a_key_leaves_its_token_and_its_user_alone(admin_client: Client, world: World, bob: User) -> None:
    before = ApiKey.objects.get()
    fields = {"user": bob.pk, "name": "desktop", "scopes": ["read"], "expires_at_0": "", "expires_at_1": ""}
    admin_client.post(f"{KEYS}{before.pk}/change/", fields)
    after = ApiKey.objects.get()
    assert (after.name, after.scopes) == ("desktop", ["read"])
    assert (after.user, after.prefix, after.digest) == (before.user, before.prefix, before.digest)


def test_a_key_is_revoked_from_its_page_and_then_no_more(admin_client: Client, world: World) -> None:
    page = f"{KEYS}{world.key.pk}/change/"
    assert "Save and revoke" in admin_client.get(page).content.decode()
    fields = {"name": "laptop", "scopes": ["read"], "expires_at_0": "", "expires_at_1": ""}
    admin_client.post(page, fields | {"accounts_apikey_revoke": ""})
    assert ApiKey.objects.get().revoked_at is not None
    assert ApiKey.objects.get().state == "revoked"
    assert "Save and revoke" not in admin_client.get(page).content.decode()


def test_several_keys_are_revoked_from_the_list(admin_client: Client, alice: User) -> None:
    keys = [ApiKey.objects.issue(user=alice, name=str(number))[0].pk for number in range(3)]
    admin_client.post(KEYS, {"action": "revoke_selected", "_selected_action": keys[:2]})
    assert list(ApiKey.objects.filter(revoked_at=None).values_list("pk", flat=True)) == keys[2:]


def test_the_list_is_filtered_by_state(admin_client: Client, alice: User) -> None:
    for name in ("a-used-one", "a-revoked-one"):
        ApiKey.objects.issue(user=alice, name=name)
    ApiKey.objects.get(name="a-revoked-one").revoke()
    revoked = admin_client.get(KEYS, {"state": "revoked"}).content.decode()
    assert ("a-revoked-one" in revoked, "a-used-one" in revoked) == (True, False)
    active = admin_client.get(KEYS, {"state": "active"}).content.decode()
    assert ("a-revoked-one" in active, "a-used-one" in active) == (False, True)
    assert "a-used-one" not in admin_client.get(KEYS, {"state": "expired"}).content.decode()
