"""Revoking tokens and taking keys away: who may, and what GitLab says to those who may not."""

from collections.abc import Callable, Iterator
from functools import partial

from stand_in_gitlab.company.model import MAINTAINER, OWNER, SourceKind, Token, User
from stand_in_gitlab.company.people import group_of_service_account, source_of_bot
from stand_in_gitlab.company.state import Company, Source
from stand_in_gitlab.rest.ask import Answer, Ask, Handler
from stand_in_gitlab.rest.background import BackgroundJobs
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.membership_changes import MembershipChanges
from stand_in_gitlab.rest.refusals import Refusal, not_found, refused
from stand_in_gitlab.rest.router import Route

NO_BOT = "Failed to find bot user"


class CredentialWritesApi:
    """Ends what opens this GitLab. To revoke a token twice is no error: it is revoked, and 204, again."""

    def __init__(self, company: Company, changes: MembershipChanges, jobs: BackgroundJobs) -> None:
        self._company, self._changes, self._jobs, self._find = company, changes, jobs, Finder(company)

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "DELETE", "/personal_access_tokens/*", self.revoke
        yield "DELETE", "/users/*/impersonation_tokens/*", self.revoke_impersonation
        yield "DELETE", "/users/*/keys/*", self.delete_ssh_key
        yield "DELETE", "/groups/*/service_accounts/*/personal_access_tokens/*", self.revoke_of_service_account
        yield "DELETE", "/projects/*/deploy_keys/*", self.disable_deploy_key
        kinds: tuple[SourceKind, ...] = ("group", "project")
        handlers: dict[str, Callable[[SourceKind, Ask], Answer]] = {
            "access_tokens": self.revoke_of_resource,
            "deploy_tokens": self.delete_deploy_token,
        }
        for kind in kinds:
            for path, handler in handlers.items():
                bound: Handler = partial(handler, kind)
                yield "DELETE", f"/{kind}s/*/{path}/*", bound

    def revoke(self, ask: Ask) -> Answer:
        """DELETE /personal_access_tokens/:id: everybody's for administrators, else the own ones.

        Whoever may not gets 400 without a reason (`revoke_token` in lib/api/helpers/personal_access_tokens_helpers.rb,
        app/policies/personal_access_token_policy.rb). Owners of a group may for its service accounts.
        """
        token = self._token(ask.integer(ask.names[0], "id"))
        if token is None:
            raise not_found()
        is_own = token.user_id == ask.user.id and not token.impersonation
        group_id = group_of_service_account(self._company.users[token.user_id])
        manages = group_id is not None and ask.visibility.group_level(group_id) >= OWNER
        if not (ask.user.is_admin or is_own or manages):
            raise _bad()
        token.revoked = True
        return Answer(204)

    def revoke_of_resource(self, kind: SourceKind, ask: Ask) -> Answer:
        """DELETE …/access_tokens/:token_id: looked for first, then 400 for whoever may not.

        lib/api/resource_access_tokens.rb, app/services/resource_access_tokens/revoke_service.rb. The bot stays with its
        membership, until 30 days later a nightly job finds that it has no active token left
        (app/workers/resource_access_tokens/inactive_tokens_deletion_cron_worker.rb); older releases deleted it soon.
        """
        number = self._find.group(ask).id if kind == "group" else self._find.project(ask).id
        source: Source = (kind, number)
        token = self._token(ask.integer(ask.names[1], "token_id"))
        bot = None if token is None else self._company.users[token.user_id]
        if token is None or bot is None or source_of_bot(bot) != source:
            raise not_found(f"{kind} Access Token")
        if not self._may_manage(ask, source):
            raise _bad(f"{ask.user.name} cannot delete {bot.name}")
        if bot.id not in self._company.members[source]:
            raise _bad(NO_BOT)
        token.revoked = True
        if self._company.behaviour.bots_go_with_tokens:
            self._jobs.later(lambda: self._changes.delete_user(bot.id))
        return Answer(204)

    def _may_manage(self, ask: Ask, source: Source) -> bool:
        """`destroy_resource_access_tokens`: Owners of a group, Maintainers of a project."""
        kind, number = source
        if kind == "group":
            return ask.visibility.group_level(number) >= OWNER
        return ask.visibility.project_level(number) >= MAINTAINER

    def revoke_of_service_account(self, ask: Ask) -> Answer:
        """DELETE /groups/:id/service_accounts/:user_id/personal_access_tokens/:token_id, for Owners.

        ee/lib/api/group_service_accounts.rb.
        """
        group_id = self._find.owned_group(ask, OWNER).id
        user = self._company.users.get(ask.integer(ask.names[1], "user_id"))
        if user is None or group_of_service_account(user) != group_id:
            raise not_found("User")
        token = self._token(ask.integer(ask.names[2], "token_id"))
        if token is None or token.user_id != user.id:
            raise not_found("Personal Access Token")
        token.revoked = True
        return Answer(204)

    def revoke_impersonation(self, ask: Ask) -> Answer:
        """DELETE /users/:id/impersonation_tokens/:impersonation_token_id, for administrators (lib/api/users.rb)."""
        ask.need_admin()
        user = self._user(ask)
        token = self._token(ask.integer(ask.names[1], "impersonation_token_id"))
        if token is None or token.user_id != user.id or not token.impersonation:
            raise not_found("Impersonation Token")
        token.revoked = True
        return Answer(204)

    def delete_ssh_key(self, ask: Ask) -> Answer:
        """DELETE /users/:id/keys/:key_id, for administrators (lib/api/users.rb)."""
        ask.need_admin()
        user, number = self._user(ask), ask.integer(ask.names[1], "key_id")
        key = self._company.ssh_keys.get(number)
        if key is None or key.user_id != user.id:
            raise not_found("Key")
        del self._company.ssh_keys[number]
        return Answer(204)

    def delete_deploy_token(self, kind: SourceKind, ask: Ask) -> Answer:
        """DELETE …/deploy_tokens/:token_id: for Maintainers of a project, and Owners of a group.

        `destroy_deploy_token` in app/policies/project_policy.rb and group_policy.rb; Maintainers of a group may only
        read them. What is deleted is gone, unlike what the settings page revokes.
        """
        if kind == "group":
            source: Source = (kind, self._find.owned_group(ask, OWNER).id)
        else:
            source = (kind, self._find.kept_project(ask, MAINTAINER).id)
        number = ask.integer(ask.names[1], "token_id")
        found = self._company.deploy_tokens.get(number)
        if found is None or found.source != source:
            raise not_found()
        del self._company.deploy_tokens[number]
        return Answer(204)

    def disable_deploy_key(self, ask: Ask) -> Answer:
        """DELETE /projects/:id/deploy_keys/:key_id, for Maintainers: other projects keep the key.

        lib/api/deploy_keys.rb; a key that no project has any more goes (app/models/deploy_keys_project.rb).
        """
        project_id, number = self._find.kept_project(ask, MAINTAINER).id, ask.integer(ask.names[1], "key_id")
        key = self._company.deploy_keys.get(number)
        if key is None or project_id not in key.projects:
            raise not_found("Deploy key")
        del key.projects[project_id]
        if not key.projects:
            del self._company.deploy_keys[number]
        return Answer(204)

    def _token(self, number: int) -> Token | None:
        tokens = (one for one in self._company.tokens.values() if one.kind != "oauth")
        return next((one for one in tokens if one.id == number and one.user_id in self._company.users), None)

    def _user(self, ask: Ask) -> User:
        user = self._company.users.get(ask.integer(ask.names[0], "user_id"))
        if user is None:
            raise not_found("User")
        return user


def _bad(reason: str = "") -> Refusal:
    return refused(f"400 Bad request - {reason}" if reason else "400 Bad request", 400)
