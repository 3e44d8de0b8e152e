"""What a token may ask about itself: its facts, its reach, its successor."""

from stand_in_gitlab.clock import DAY, day
from stand_in_gitlab.company.model import Token
from stand_in_gitlab.company.prng import token_hex
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.tokens import add
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.paging import page_size
from stand_in_gitlab.rest.refusals import not_found, refused
from stand_in_gitlab.rest.shapes import Json, Shapes

PERSONAL_ONLY = "This endpoint requires token type to be a personal access token"


class OwnTokenApi:
    """/personal_access_tokens/self, which project, group and service-account tokens may call too."""

    def __init__(self, company: Company, shapes: Shapes, base: str) -> None:
        self._company, self._shapes, self._base = company, shapes, base

    def facts(self, ask: Ask) -> Answer:
        """GET /personal_access_tokens/self."""
        self._need_personal(ask)
        return reply(self._shapes.token(ask.token, ask.now))

    def _need_personal(self, ask: Ask) -> None:
        """Tokens from OAuth are no personal access tokens; old releases did not even say so."""
        if ask.token.kind != "oauth":
            return
        if self._company.behaviour.oauth_self_status == 404:  # noqa: PLR2004 - the old days
            raise not_found()
        raise refused(f"400 Bad request - {PERSONAL_ONLY}", 400)

    def revoke(self, ask: Ask) -> Answer:
        """DELETE /personal_access_tokens/self."""
        self._need_personal(ask)
        ask.token.revoked = True
        return Answer(204)

    def rotate(self, ask: Ask) -> Answer:
        """POST /personal_access_tokens/self/rotate: the old token dies at once."""
        self._need_personal(ask)
        old = ask.token
        old.revoked = True
        new = self._successor(old, str(ask.sent.get("expires_at") or day(ask.now + 7 * DAY)))
        return reply({**self._shapes.token(new, ask.now), "last_used_at": None, "token": new.value})

    def _successor(self, old: Token, expires_at: str) -> Token:
        value = f"glpat-standin-{token_hex(self._company.seed, 'rotation', old.value, digits=20)}"
        new = add(
            self._company,
            old.name,
            old.user_id,
            old.scopes,
            kind=old.kind,
            level=old.level,
            expires_at=expires_at,
            value=value,
            grants=old.grants,
        )
        new.family = old.family
        return new

    def associations(self, ask: Ask) -> Answer:
        """GET /personal_access_tokens/self/associations: memberships only, also for administrators."""
        self._need_personal(ask)
        least, size, page = ask.number("min_access_level", 0), page_size(ask), max(1, ask.number("page", 1))
        window = slice((page - 1) * size, page * size)
        groups = [number for number, level in ask.visibility.group_levels.items() if level >= max(least, 1)]
        projects = [number for number, level in ask.visibility.project_levels.items() if level >= max(least, 1)]
        return reply(
            {
                "groups": [self._group(ask, n) for n in groups[window]],
                "projects": [self._project(ask, n) for n in projects[window]],
            }
        )

    def _group(self, ask: Ask, group_id: int) -> Json:
        row = self._shapes.group(self._company.groups[group_id])
        kept = {name: row[name] for name in ("id", "web_url", "name", "parent_id", "organization_id", "visibility")}
        return {**kept, "access_levels": ask.visibility.group_levels[group_id]}

    def _project(self, ask: Ask, project_id: int) -> Json:
        project = self._company.projects[project_id]
        return {
            "id": project.id,
            "description": None,
            "name": project.name,
            "name_with_namespace": project.full_name,
            "path": project.path,
            "path_with_namespace": project.full_path,
            "visibility": project.visibility,
            "web_url": f"{self._base}/{project.full_path}",
            "access_levels": self._levels(ask, project_id, project.group_id),
        }

    def _levels(self, ask: Ask, project_id: int, group_id: int | None) -> Json:
        direct = self._company.members["project", project_id].get(ask.user.id)
        from_group = ask.visibility.group_levels.get(group_id) if group_id else None
        return {"project_access_level": direct.level if direct else None, "group_access_level": from_group}
