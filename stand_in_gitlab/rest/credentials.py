"""Lists of tokens and keys, and who may read them."""

from collections.abc import Callable, Iterator
from functools import partial

from stand_in_gitlab.clock import day
from stand_in_gitlab.company.credential_model import DeployKey, DeployToken
from stand_in_gitlab.company.model import MAINTAINER, OWNER, SourceKind, Token, User
from stand_in_gitlab.company.people import group_of_service_account, source_of_bot
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Answer, Ask, Handler, reply
from stand_in_gitlab.rest.credential_shapes import CredentialShapes
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import not_found, unauthorized
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Shapes
from stand_in_gitlab.rest.users import HIDDEN

STATES = frozenset({"active", "inactive", "all"})


class CredentialsApi:
    """Everything that opens this GitLab."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes, self._find = company, CredentialShapes(company, shapes), Finder(company)

    def routes(self) -> Iterator[Route]:
        """All of them; those of single rows behind those of lists."""
        yield "GET", "/personal_access_tokens", self.tokens
        yield "GET", "/personal_access_tokens/*", self.token
        yield "GET", "/users/*/keys", self.ssh_keys
        yield "GET", "/users/*/keys/*", self.ssh_key
        yield "GET", "/users/*/impersonation_tokens", self.impersonations
        yield "GET", "/users/*/impersonation_tokens/*", self.impersonation
        yield "GET", "/deploy_tokens", self.all_deploy_tokens
        yield "GET", "/deploy_keys", self.all_deploy_keys
        kinds: tuple[SourceKind, ...] = ("group", "project")
        for kind in kinds:
            yield from self._of_sources(kind)
        yield "GET", "/groups/*/service_accounts/*/personal_access_tokens", self.tokens_of_service_account
        yield "GET", "/projects/*/deploy_keys", self.deploy_keys
        yield "GET", "/projects/*/deploy_keys/*", self.deploy_key

    def _of_sources(self, kind: SourceKind) -> Iterator[Route]:
        handlers: dict[str, Callable[[SourceKind, Ask], Answer]] = {
            "access_tokens": self.resource_tokens,
            "access_tokens/*": self.resource_token,
            "deploy_tokens": self.deploy_tokens,
            "deploy_tokens/*": self.deploy_token,
        }
        for path, handler in handlers.items():
            bound: Handler = partial(handler, kind)
            yield "GET", f"/{kind}s/*/{path}", bound

    def tokens(self, ask: Ask) -> Answer:
        """GET /personal_access_tokens: everybody's for administrators, impersonation tokens too; else the own ones.

        `finder_params` and `restrict_non_admins!` in lib/api/helpers/personal_access_tokens_helpers.rb.
        """
        wanted = ask.number("user_id", 0)
        if ask.user.is_admin:
            tokens = [one for one in self._tokens() if wanted in {0, one.user_id}]
        elif wanted not in {0, ask.user.id}:
            raise unauthorized()
        else:
            tokens = [one for one in self._tokens() if one.user_id == ask.user.id and not one.impersonation]
        return self._page(ask, tokens)

    def token(self, ask: Ask) -> Answer:
        """GET /personal_access_tokens/:id; only administrators are told that there is none."""
        number = ask.integer(ask.names[0], "id")
        found = next((one for one in self._tokens() if one.id == number), None)
        if found is None or not (ask.user.is_admin or found.user_id == ask.user.id):
            raise not_found() if ask.user.is_admin else unauthorized()
        return reply(self._shapes.token(found, ask.now))

    def resource_tokens(self, kind: SourceKind, ask: Ask) -> Answer:
        """GET …/access_tokens."""
        tokens = [one for one in self._tokens() if self._is_of(one, self._tokens_source(kind, ask))]
        return numbered(ask, _chosen(ask, tokens), partial(self._shapes.resource_token, now=ask.now))

    def resource_token(self, kind: SourceKind, ask: Ask) -> Answer:
        """GET …/access_tokens/:token_id."""
        source, number = self._tokens_source(kind, ask), ask.integer(ask.names[1], "token_id")
        found = next((one for one in self._tokens() if one.id == number and self._is_of(one, source)), None)
        if found is None:
            raise not_found(f"{kind} Access Token")
        return reply(self._shapes.resource_token(found, ask.now))

    def _tokens_source(self, kind: SourceKind, ask: Ask) -> Source:
        """401 below Owner of a group or Maintainer of a project (lib/api/resource_access_tokens.rb)."""
        if kind == "group":
            number = self._find.group(ask).id
            enough = ask.visibility.group_level(number) >= OWNER
        else:
            number = self._find.project(ask).id
            enough = ask.visibility.project_level(number) >= MAINTAINER
        if not enough:
            raise unauthorized()
        return kind, number

    def _is_of(self, token: Token, source: Source) -> bool:
        return source_of_bot(self._company.users[token.user_id]) == source

    def tokens_of_service_account(self, ask: Ask) -> Answer:
        """GET /groups/:id/service_accounts/:user_id/personal_access_tokens."""
        group_id = self._find.owned_group(ask, OWNER).id
        user = self._company.users.get(ask.integer(ask.names[1], "user_id"))
        if user is None or group_of_service_account(user) != group_id:
            raise not_found("User")
        return self._page(ask, [one for one in self._tokens() if one.user_id == user.id])

    def all_deploy_tokens(self, ask: Ask) -> Answer:
        """GET /deploy_tokens."""
        ask.need_admin()
        return self._deploy_tokens(ask, list(self._company.deploy_tokens.values()))

    def deploy_tokens(self, kind: SourceKind, ask: Ask) -> Answer:
        """GET …/deploy_tokens, for Maintainers."""
        source = self._kept(kind, ask)
        return self._deploy_tokens(ask, [one for one in self._company.deploy_tokens.values() if one.source == source])

    def deploy_token(self, kind: SourceKind, ask: Ask) -> Answer:
        """GET …/deploy_tokens/:token_id."""
        source = self._kept(kind, ask)
        found = self._company.deploy_tokens.get(ask.integer(ask.names[1], "token_id"))
        if found is None or found.source != source:
            raise not_found()
        return reply(self._shapes.deploy_token(found, ask.now))

    def _kept(self, kind: SourceKind, ask: Ask) -> Source:
        if kind == "group":
            return kind, self._find.owned_group(ask, MAINTAINER).id
        return kind, self._find.kept_project(ask, MAINTAINER).id

    def _deploy_tokens(self, ask: Ask, tokens: list[DeployToken]) -> Answer:
        rows = [one for one in tokens if self._exists(one)]
        return numbered(ask, rows, partial(self._shapes.deploy_token, now=ask.now))

    def _exists(self, token: DeployToken) -> bool:
        kind, number = token.source
        return number in (self._company.groups if kind == "group" else self._company.projects)

    def all_deploy_keys(self, ask: Ask) -> Answer:
        """GET /deploy_keys."""
        ask.need_admin()
        return numbered(ask, list(self._company.deploy_keys.values()), self._shapes.deploy_key)

    def deploy_keys(self, ask: Ask) -> Answer:
        """GET /projects/:id/deploy_keys, for Maintainers (`authorize_admin_project`)."""
        project_id = self._find.kept_project(ask, MAINTAINER).id
        return numbered(ask, self._keys_of(project_id), lambda key: self._shapes.deploy_key_of(key, project_id))

    def deploy_key(self, ask: Ask) -> Answer:
        """GET /projects/:id/deploy_keys/:key_id."""
        project_id, number = self._find.kept_project(ask, MAINTAINER).id, ask.integer(ask.names[1], "key_id")
        found = next((key for key in self._keys_of(project_id) if key.id == number), None)
        if found is None:
            raise not_found()
        return reply(self._shapes.deploy_key_of(found, project_id))

    def _keys_of(self, project_id: int) -> list[DeployKey]:
        return [key for key in self._company.deploy_keys.values() if project_id in key.projects]

    def ssh_keys(self, ask: Ask) -> Answer:
        """GET /users/:id/keys: of everybody whom the caller sees (lib/api/users.rb, `read_user`)."""
        user = self._user(ask)
        rows = [key for key in self._company.ssh_keys.values() if key.user_id == user.id]
        return numbered(ask, rows, self._shapes.ssh_key)

    def ssh_key(self, ask: Ask) -> Answer:
        """GET /users/:id/keys/:key_id."""
        user, found = self._user(ask), self._company.ssh_keys.get(ask.integer(ask.names[1], "key_id"))
        if found is None or found.user_id != user.id:
            raise not_found("Key")
        return reply(self._shapes.ssh_key(found))

    def impersonations(self, ask: Ask) -> Answer:
        """GET /users/:id/impersonation_tokens, for administrators."""
        ask.need_admin()
        user = self._user(ask)
        tokens = [one for one in self._tokens() if one.user_id == user.id and one.impersonation]
        return numbered(ask, _chosen(ask, tokens), partial(self._shapes.impersonation, now=ask.now))

    def impersonation(self, ask: Ask) -> Answer:
        """GET /users/:id/impersonation_tokens/:impersonation_token_id."""
        ask.need_admin()
        user, number = self._user(ask), ask.integer(ask.names[1], "impersonation_token_id")
        tokens = (one for one in self._tokens() if one.user_id == user.id and one.impersonation)
        found = next((one for one in tokens if one.id == number), None)
        if found is None:
            raise not_found("Impersonation Token")
        return reply(self._shapes.impersonation(found, ask.now))

    def _user(self, ask: Ask) -> User:
        user = self._company.users.get(ask.integer(ask.names[0], "user_id"))
        if user is None or (user.state in HIDDEN and not ask.user.is_admin):
            raise not_found("User")
        return user

    def _tokens(self) -> Iterator[Token]:
        """The rows of GitLab's table `personal_access_tokens`; those of accounts that are gone went with them."""
        return (
            one for one in self._company.tokens.values() if one.kind != "oauth" and one.user_id in self._company.users
        )

    def _page(self, ask: Ask, tokens: list[Token]) -> Answer:
        return numbered(ask, _chosen(ask, tokens), partial(self._shapes.token, now=ask.now))


def _chosen(ask: Ask, tokens: list[Token]) -> list[Token]:
    """The tokens that the filters want, in their order: by id, or by when they were made."""
    state = ask.choice("state", STATES, "all")
    kept = [one for one in tokens if state == "all" or _is_active(one, ask.now) == (state == "active")]
    if ask.params.get("revoked"):
        kept = [one for one in kept if one.revoked == ask.flag("revoked")]
    by_creation = (ask.params.get("sort") or "").startswith("created_")
    is_descending = not by_creation or ask.params["sort"] == "created_desc"
    return sorted(kept, key=lambda one: (one.created if by_creation else 0, one.id), reverse=is_descending)


def _is_active(token: Token, now: float) -> bool:
    return not token.revoked and (token.expires_at is None or token.expires_at > day(now))
