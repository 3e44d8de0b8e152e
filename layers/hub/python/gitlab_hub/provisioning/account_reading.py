"""Reading from GitLab, live, what an account has: what decides about it, and what ends when somebody leaves."""

from typing import TYPE_CHECKING

from gitlab_hub.gitlab.credential_kinds import ANYWHERE, CredentialKind, path_of_account
from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.gitlab.fields import GitLabRow, first_id, number, part, text
from gitlab_hub.gitlab.roles import OWNER
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.errors import OutOfSight
from gitlab_hub.provisioning.facts import Place

if TYPE_CHECKING:
    from gitlab_hub.provisioning.reading import LiveReader

_SOURCES = {"Namespace": ResourceType.GROUP, "Project": ResourceType.PROJECT}


async def check_administrator(reader: "LiveReader") -> None:
    """Make sure that a 404 about an account says that there is none. Raises OutOfSight.

    To others than administrators GitLab need not show it, and it shows `is_admin` to them only, also of themselves
    (lib/api/users.rb, `GET /users/:id`).
    """
    own = await reader.person(reader.hand.account_id)
    if own is None or own.is_admin is None:
        raise OutOfSight("GitLab does not treat the token's user as an administrator (any more).")


async def owned_groups(reader: "LiveReader", account_id: int) -> list[Place]:
    """The top-level groups that an account is a direct Owner of; to be asked by administrators only."""
    found: list[Place] = []
    async for rows in reader.pages(f"/users/{account_id}/memberships", {"type": "Namespace"}):
        for row in rows:
            group_id = first_id(row, "source_id")
            if group_id is not None and (number(row.get("access_level")) or 0) >= OWNER:
                place = await reader.place(ResourceType.GROUP, group_id)
                found += [place] if place is not None and place.is_top_level else []
    return found


async def memberships_of(reader: "LiveReader", account_id: int, most: int) -> list[tuple[ResourceType, int]] | None:
    """Where an account has rows as a member; None where they are more. To be asked by administrators only."""
    found: list[tuple[ResourceType, int]] = []
    async for rows in reader.pages(f"/users/{account_id}/memberships"):
        for row in rows:
            kind, place_id = _SOURCES.get(text(row.get("source_type")) or ""), first_id(row, "source_id")
            found += [(kind, place_id)] if kind is not None and place_id is not None else []
        if len(found) > most:
            return None
    return found


async def credentials_of(reader: "LiveReader", account_id: int, most: int) -> list[tuple[CredentialKind, int]] | None:
    """The tokens of an account that are still good, and its SSH keys; None where they are more.

    To be asked by administrators only (lib/api/users.rb, `keys` and `impersonation_tokens`). The list of personal
    tokens shows them impersonation tokens as well, without saying so (`finder_params` in
    lib/api/helpers/personal_access_tokens_helpers.rb); these have a list of their own, which is asked first.
    """
    keys, impersonation = (
        path_of_account(kind, account_id) for kind in (CredentialKind.SSH_KEY, CredentialKind.IMPERSONATION_TOKEN)
    )
    lists = (
        (CredentialKind.IMPERSONATION_TOKEN, impersonation, {"state": "active"}),
        (CredentialKind.PERSONAL_TOKEN, f"/{ANYWHERE}", {"user_id": str(account_id), "state": "active"}),
        (CredentialKind.SSH_KEY, keys, None),
    )
    found: list[tuple[CredentialKind, int]] = []
    for kind, path, narrowed in lists:
        async for rows in reader.pages(path, narrowed):
            known = {number for _, number in found} if kind is CredentialKind.PERSONAL_TOKEN else set[int]()
            ids = [one for row in rows if (one := first_id(row, "id")) is not None]
            found += [(kind, one) for one in ids if one not in known]
            if len(found) > most:
                return None
    return found


async def held_in_tree(reader: "LiveReader", group_id: int, account_id: int) -> list[tuple[int, str]]:
    """The levels and names of what an account is a direct member of in a whole top-level group.

    Whoever takes no seat is not told of there (ee/lib/ee/api/members.rb, `billed_user_ids`): then what they have in the
    group itself.
    """
    own = await reader.member(ResourceType.GROUP, group_id, account_id)
    path = f"/groups/{group_id}/billable_members/{account_id}/memberships"
    try:
        rows = [row async for page in reader.pages(path) for row in page]
    except ResourceNotFound:
        rows = []
    levels = [(number(part(row, "access_level").get("integer_value")), row.get("source_full_name")) for row in rows]
    found = [(level, text(name) or "") for level, name in levels if level is not None]
    return found or ([] if own is None else [(own.membership.access_level, "the group itself")])


async def account_named(reader: "LiveReader", username: str, email: str) -> tuple[GitLabRow | None, bool]:
    """The account of a username, and whether another one has the address; to be asked by administrators only."""
    named = await reader.rows("/users", {"username": username})
    own = next((row for row in named if (text(row.get("username")) or "").lower() == username.lower()), None)
    with_address = await reader.rows("/users", {"search": email})
    return own, any(first_id(row, "id") != first_id(own or {}, "id") for row in with_address)
