"""A company whose owner is shown GitLab's lists of accounts, scripted; what they tell, and who was asked."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from gitlab_hub.gitlab.account_lists import GROUP_LISTS
from gitlab_hub.gitlab.errors import (
    Forbidden,
    UnexpectedResponse,
)
from gitlab_hub.sync.ports import SyncTarget
from tests.fakes.scripted_client import NOW
from tests.fakes.session import FakeSession, run
from tests.functional.access.company import JANE, MEMBER, OLE, Company, group, member

LEFT, DEPLOYER, WAITING = 40, 41, 42
LISTS = [one.path for one in GROUP_LISTS]
NO = Forbidden("no", http_status=403)
BAD = UnexpectedResponse("400", http_status=400)


def public(number: int, username: str, **more: Any) -> dict[str, Any]:
    """A row of `enterprise_users` or `saml_users`."""
    row = {"id": number, "username": username, "name": username.title(), "state": "active", "bot": False}
    row |= {"email": f"{username}@acme.org", "two_factor_enabled": True, "external": False, "identities": []}
    return {**row, "last_sign_in_at": "2026-02-02T00:00:00Z", "last_activity_on": "2026-02-03", **more}


def owned(company: Company, groups: list[dict[str, Any]]) -> None:
    """Let GitLab say which top-level groups the token's user owns."""
    every = company.script["/groups"]
    if callable(every):
        every = every({})
    company.script["/groups"] = lambda params: groups if params.get("top_level_only") else every


@pytest.fixture
def company() -> Company:
    made = Company()
    owned(made, [group(1, "acme", parent_id=None)])
    made.script["/groups/1/members"] = [
        member(JANE, "jane", 50),
        member(WAITING, "waiting", membership_state="awaiting"),
    ]
    seat = {"username": "ole", "name": "Ole", "state": "active", "email": "", "created_at": "2020-01-01T00:00:00Z"}
    waits = {"username": "waiting", "email": "w@acme.org", "invited": False, "approved": False}
    made.gitlab.answers |= {
        "/groups/1/enterprise_users": [public(JANE, "jane"), public(LEFT, "left")],
        "/groups/1/saml_users": [public(JANE, "jane")],
        "/groups/1/scim/identities": [{"extern_uid": "s-1", "user_id": JANE, "active": True}],
        "/groups/1/billable_members": [
            {"id": OLE, **seat, "last_activity_on": "2026-02-20", "last_login_at": "2026-02-19T00:00:00Z"}
        ],
        "/groups/1/pending_members": [
            {"id": 900, **waits},
            {"id": 901, "email": "new@acme.org", "invited": True, "approved": True},
        ],
        "/groups/1/service_accounts": [{"id": DEPLOYER, "username": "deployer", "name": "Deployer"}],
    }
    return made


class Later(FakeSession):
    """A run of another day."""

    def __init__(self, company: Company, days: int, *, who: SyncTarget = MEMBER, full: bool = False) -> None:
        super().__init__(who, company.gitlab)
        self.sync_id, self.full, self._moment = f"s{days + 2}", full, NOW + timedelta(days=days)

    def now(self) -> datetime:
        return self._moment


async def later(company: Company, days: int = 1, who: SyncTarget = MEMBER) -> FakeSession:
    session = Later(company, days, who=who)
    await run(company.feature, session)
    return session


def account(company: Company, number: int) -> dict[str, Any]:
    return company.rows("accounts")[f"{number:012d}"]


def of_lists(session: FakeSession) -> dict[str, str]:
    names = {one.name for one in GROUP_LISTS}
    return {key: status for key, status, _ in session.asides if key.partition("#")[0] in names}


def asked(company: Company) -> list[str]:
    return [path for path in company.gitlab.paths if path.removeprefix("/groups/1/") in LISTS]
