"""With a replica that lags by a day: what may lag is read there, and everything else is not."""

from __future__ import annotations

import http.cookiejar
import json
import re
import sqlite3
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.service.running import running

if TYPE_CHECKING:
    from pathlib import Path

OLD = "As it was yesterday"


def read(url: str) -> Any:
    return json.load(urllib.request.urlopen(url))


def logged_in(url: str) -> urllib.request.OpenerDirector:
    """A browser after the login of the admin, which the replica knows nothing of."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{url}/admin/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": "botgpt-development", "next": "/admin/"}
    browser.open(f"{url}/admin/login/", urllib.parse.urlencode(form).encode())
    return browser


def test_only_what_may_lag_is_read_from_the_replica(tmp_path: Path) -> None:
    replica = tmp_path / "replica.sqlite3"
    sqlite3.connect(replica).close()
    settings = {"DATABASE_REPLICA_URL": f"sqlite:///{replica}", "WEB_CONCURRENCY": "1"}
    with running(tmp_path, **settings) as service:
        conversations = f"{service.url}/api/v1/conversations"
        first = read(conversations)["conversations"][0]
        with sqlite3.connect(tmp_path / "db.sqlite3") as source, sqlite3.connect(replica) as copy:
            source.backup(copy)
            copy.execute("UPDATE conversations SET title = ?", [OLD])
        copy.close()
        source.close()

        assert read(conversations)["conversations"][0]["title"] == first["title"]
        assert read(f"{conversations}/{first['id']}")["title"] == first["title"]
        assert OLD in urllib.request.urlopen(f"{conversations}/{first['id']}/export?as=markdown").read().decode()

        browser = logged_in(service.url)
        assert OLD in browser.open(f"{service.url}/admin/conversations/conversation/").read().decode()
        change = browser.open(f"{service.url}/admin/conversations/conversation/{first['id']}/change/").read().decode()
        assert OLD not in change

        body = json.dumps({"message": "And who pays for it?"}).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{conversations}/{first['id']}/messages", body, headers)
        assert urllib.request.urlopen(request).status == 200
        assert "Traceback" not in service.output
