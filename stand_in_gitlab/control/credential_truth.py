"""Every token and key as it really is, whoever may see it."""

from collections.abc import Iterator

from stand_in_gitlab.clock import day, iso_or_none
from stand_in_gitlab.company.model import Token
from stand_in_gitlab.company.people import group_of_service_account, source_of_bot
from stand_in_gitlab.company.state import Company

Fact = dict[str, object]


def credentials(company: Company, now: float) -> Iterator[Fact]:
    """A row for each; a deploy key has one for each project that it opens."""
    for token in company.tokens.values():
        if token.kind != "oauth" and token.user_id in company.users:
            yield _token(company, token, now)
    for deploy in company.deploy_tokens.values():
        kind, number = deploy.source
        if number in (company.groups if kind == "group" else company.projects):
            is_over = deploy.expires is not None and deploy.expires <= now
            yield {
                **_row("deploy_token", deploy.id, deploy.name, revoked=deploy.revoked, is_over=is_over),
                "source": kind,
                "source_id": number,
                "expires_at": iso_or_none(deploy.expires),
            }
    for ssh in company.ssh_keys.values():
        if ssh.user_id in company.users:
            is_over = ssh.expires is not None and ssh.expires <= now
            row = _row("ssh_key", ssh.id, ssh.title, revoked=False, is_over=is_over)
            yield row | {"user_id": ssh.user_id, "expires_at": iso_or_none(ssh.expires)}
    for key in company.deploy_keys.values():
        is_over = key.expires is not None and key.expires <= now
        row = _row("deploy_key", key.id, key.title, revoked=False, is_over=is_over)
        row["expires_at"] = iso_or_none(key.expires)
        opened = [(number, may_push) for number, may_push in key.projects.items() if number in company.projects]
        for project_id, can_push in opened:
            yield row | {"source": "project", "source_id": project_id, "can_push": can_push}
        if not opened:
            yield row | {"can_push": False}


def _token(company: Company, token: Token, now: float) -> Fact:
    user = company.users[token.user_id]
    source = source_of_bot(user) or ("group", group_of_service_account(user))
    kind = "impersonation_token" if token.impersonation else f"{token.kind}_token"
    is_over = token.expires_at is not None and token.expires_at <= day(now)
    return {
        **_row(kind, token.id, token.name, revoked=token.revoked, is_over=is_over),
        "user_id": token.user_id,
        "source": source[0] if source[1] is not None else None,
        "source_id": source[1],
        "scopes": list(token.scopes),
        "expires_at": token.expires_at,
        "access_level": token.level,
    }


def _row(kind: str, number: int, name: str, *, revoked: bool, is_over: bool) -> Fact:
    status = "revoked" if revoked else "expired" if is_over else "active"
    return {"kind": kind, "id": number, "name": name, "status": status, "source": None, "source_id": None,
            "user_id": None, "can_push": None, "access_level": None, "scopes": []}  # fmt: skip
