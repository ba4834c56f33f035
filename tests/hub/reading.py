"""Programs that read the hub's API, for tests."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hub import tokens
from hub.api.app import PATH
from hub.app import create_app
from hub.roles import NATION
from hub.wiring import Hub, now_ms


def made_token(hub: Hub, scope: str = NATION, sees_names: bool = False) -> str:
    return tokens.make(hub.engine, "Dinas", scope, sees_names, "operator", secrets.token_hex, now_ms())


@dataclass(frozen=True)
class Program:
    """Asks with one token, as itself and nobody else."""

    client: FlaskClient
    token: str

    def ask(self, path: str, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(f"{PATH}{path}", headers={"Authorization": f"Bearer {self.token}", **named})

    def read(self, path: str) -> Any:
        answer = self.ask(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json

    def items(self, path: str) -> list[Any]:
        return list(self.read(path)["items"])

    def pages(self, path: str) -> Iterator[list[Any]]:
        """Every page of a list, as `next` leads from one to the other."""
        page = self.read(path)
        yield page["items"]
        while page["next"] is not None:
            page = self.read(f"{path}&after={page['next']}")
            yield page["items"]


def program(hub: Hub, scope: str = NATION, sees_names: bool = False) -> Program:
    return Program(create_app(hub).test_client(), made_token(hub, scope, sees_names))
