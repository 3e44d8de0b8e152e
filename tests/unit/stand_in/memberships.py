"""A place of its own for tests of memberships: a top-level group, one below it, and a project in each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stand_in_gitlab.app import StandIn
from tests.unit.stand_in.conftest import Caller, Got


@dataclass(slots=True)
class House:
    """Groups `top` and `sub`, projects `shop` (in top) and `deep` (in sub), with one Owner, who has a token."""

    app: StandIn
    ask: Caller
    control: Callable[..., Any]
    top: int = 0
    sub: int = 0
    shop: int = 0
    deep: int = 0
    owner: int = 0
    people: list[int] = field(default_factory=list)

    def build(self) -> "House":
        self.top = self.do("add_group", path="house")["id"]
        self.sub = self.do("add_group", path="cellar", parent_id=self.top)["id"]
        self.shop = self.do("add_project", path="shop", group_id=self.top)["id"]
        self.deep = self.do("add_project", path="deep", group_id=self.sub)["id"]
        self.owner = self.person("olga", token="owner")
        self.put("group", self.top, self.owner, 50)
        return self

    def do(self, verb: str, **what: Any) -> dict[str, Any]:
        done: dict[str, Any] = self.control("POST", "changes", {"do": verb, **what})
        return done

    def person(self, username: str, token: str | None = None, **fields: Any) -> int:
        """Hire somebody; `token` names one with the scope api, which is then theirs."""
        user_id = int(self.do("add_user", username=username, name=username.title(), **fields)["id"])
        if token:
            self.do("add_token", name=token, user_id=user_id, scopes=["api"])
        return user_id

    def put(self, source: str, source_id: int, user_id: int, level: int, **fields: Any) -> None:
        self.do("add_member", source=source, source_id=source_id, user_id=user_id, level=level, **fields)

    def level(self, source: str, source_id: int, user_id: int) -> int | None:
        """The direct level as it really is."""
        rows = self.control("GET", f"ground-truth/members?source={source}&source_id={source_id}")["rows"]
        return next((row["access_level"] for row in rows if row["user_id"] == user_id), None)

    def access(self, source: str, source_id: int, user_id: int) -> int:
        """The effective level by GitLab's SQL; 0 for none."""
        rows = self.control("GET", f"ground-truth/access?source={source}&source_id={source_id}")["rows"]
        return next((row["access_level"] for row in rows if row["user_id"] == user_id), 0)

    def add(self, path: str, by: str = "owner", **body: Any) -> Got:
        return self.ask(f"{path}/members", by, "POST", body)

    def change(self, path: str, user_id: int, by: str = "owner", **body: Any) -> Got:
        return self.ask(f"{path}/members/{user_id}", by, "PUT", body)

    def remove(self, path: str, user_id: int, by: str = "owner", query: str = "") -> Got:
        return self.ask(f"{path}/members/{user_id}{query}", by, "DELETE")
