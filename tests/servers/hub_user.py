"""A user of the hub, as a browser would be one: password in, token out."""

from __future__ import annotations

from pathlib import Path

import requests


def log_in(url: str, user: str, password: str) -> requests.Session:
    """Log in; the session then carries the hub's cookies.

    Raises
    ------
    PermissionError
        If the hub refuses.
    """
    browser = requests.Session()
    browser.get(f"{url}/hub/login", timeout=20)
    form = {"username": user, "password": password, "_xsrf": browser.cookies["_xsrf"]}
    answer = browser.post(f"{url}/hub/login", data=form, timeout=20, allow_redirects=False)
    if answer.status_code != 302:
        raise PermissionError(f"{user!r} was refused with {answer.status_code}")
    return browser


def token_of(url: str, user: str, password_file: Path) -> str:
    """Make an API token of ``user``."""
    with log_in(url, user, password_file.read_text().strip()) as browser:
        browser.get(f"{url}/hub/home", timeout=20)
        answer = browser.post(
            f"{url}/hub/api/users/{user}/tokens",
            headers={"X-XSRFToken": browser.cookies.get("_xsrf", path="/hub/")},
            json={"note": "test"},
            timeout=20,
        )
        answer.raise_for_status()
        return str(answer.json()["token"])
