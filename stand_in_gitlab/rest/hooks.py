"""Webhooks: a project's for its Maintainers, a group's for its Owners, the instance's for administrators."""

from collections.abc import Iterator
from functools import partial

from stand_in_gitlab.company.hook_model import SYSTEM, Hook, HookKind, HookOwner
from stand_in_gitlab.company.hooks import add_hook
from stand_in_gitlab.company.model import MAINTAINER, OWNER
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.rest.ask import Answer, Ask, reply
from stand_in_gitlab.rest.find import Finder
from stand_in_gitlab.rest.hook_fields import apply, wanted_url
from stand_in_gitlab.rest.hook_shapes import hook_row
from stand_in_gitlab.rest.paging import numbered
from stand_in_gitlab.rest.refusals import Refusal, bad_request, forbidden, no_such_route, not_found, unprocessable
from stand_in_gitlab.rest.router import Route
from stand_in_gitlab.rest.shapes import Json


class HookOwners:
    """Finds whose hooks a path names, if the caller may touch them."""

    def __init__(self, company: Company, kind: HookKind) -> None:
        self._company, self.kind = company, kind
        self._find = Finder(company)

    def owner(self, ask: Ask) -> HookOwner:
        """The owner; 403 and 404 as GitLab gives them."""
        if self.kind == "system":
            ask.need_admin()
            return SYSTEM
        if self.kind == "project":
            return "project", self._find.kept_project(ask, MAINTAINER).id
        if self._company.behaviour.group_hooks == "missing":
            raise no_such_route()
        group = self._find.owned_group(ask, OWNER)
        if self._company.behaviour.group_hooks == "unlicensed":
            raise forbidden()
        return "group", group.id

    def hook(self, ask: Ask) -> Hook:
        """The hook in the path, or 404."""
        owner, number = self.owner(ask), ask.names[0 if self.kind == "system" else 1]
        hook = self._company.hooks[owner].get(ask.integer(number, "hook_id"))
        if hook is None:
            raise not_found()
        return hook

    def free_place(self, owner: HookOwner) -> None:
        """422 if the owner has as many hooks as the plan allows."""
        behaviour = self._company.behaviour
        limits = {"project": behaviour.project_hook_limit, "group": behaviour.group_hook_limit}
        limit = limits.get(owner[0])
        if limit is not None and len(self._company.hooks[owner]) >= limit:
            message = f"Maximum number of {owner[0]} hooks ({limit}) exceeded"
            raise unprocessable(message)


class HooksApi:
    """Creates, lists, changes and removes hooks; a hook's secrets go in and never come out."""

    def __init__(self, company: Company, kind: HookKind) -> None:
        self._company, self._owners = company, HookOwners(company, kind)
        self._path = "/hooks" if kind == "system" else f"/{kind}s/*/hooks"

    def routes(self) -> Iterator[Route]:
        """Where these are."""
        yield "GET", self._path, self.many
        yield "POST", self._path, self.create
        yield "GET", f"{self._path}/*", self.one
        yield "PUT", f"{self._path}/*", self.update
        yield "DELETE", f"{self._path}/*", self.delete
        for listed in ("custom_headers", "url_variables"):
            yield "PUT", f"{self._path}/*/{listed}/*", partial(self.set_extra, listed)
            yield "DELETE", f"{self._path}/*/{listed}/*", partial(self.take_extra, listed)

    def many(self, ask: Ask) -> Answer:
        """GET …/hooks."""
        rows = list(self._company.hooks[self._owners.owner(ask)].values())
        return numbered(ask, rows, lambda hook: self._row(hook, ask))

    def one(self, ask: Ask) -> Answer:
        """GET …/hooks/:hook_id."""
        return reply(self._row(self._owners.hook(ask), ask))

    def create(self, ask: Ask) -> Answer:
        """POST …/hooks."""
        behaviour, owner = self._company.behaviour, self._owners.owner(ask)
        url = wanted_url(ask.sent, behaviour)
        self._owners.free_place(owner)
        hook = add_hook(self._company, owner, url, ask.now)
        try:
            apply(hook, ask.sent, behaviour)
        except Refusal:
            del self._company.hooks[owner][hook.id]
            raise
        return reply(self._row(hook, ask), 201)

    def update(self, ask: Ask) -> Answer:
        """PUT …/hooks/:hook_id. A new address wipes the secrets, unless they come with it."""
        behaviour, hook, sent = self._company.behaviour, self._owners.hook(ask), ask.sent
        if not sent:
            raise bad_request("No parameters provided")
        url = wanted_url(sent, behaviour) if "url" in sent else hook.url
        moved = {"token": None, "signing_token": None} if url != hook.url else {}
        if moved:  # reset_custom_headers and reset_url_variables in app/models/concerns/web_hooks/hook.rb
            hook.custom_headers, hook.url_variables = {}, {}
        apply(hook, {**moved, **sent}, behaviour)
        hook.url = url
        return reply(self._row(hook, ask))

    def delete(self, ask: Ask) -> Answer:
        """DELETE …/hooks/:hook_id."""
        hook = self._owners.hook(ask)
        del self._company.hooks[hook.owner][hook.id]
        return Answer(204)

    def set_extra(self, listed: str, ask: Ask) -> Answer:
        """PUT …/hooks/:hook_id/custom_headers/:key and …/url_variables/:key."""
        extras: dict[str, str] = getattr(self._owners.hook(ask), listed)
        extras[ask.names[-1]] = str(ask.sent.get("value") or "")
        return Answer(204)

    def take_extra(self, listed: str, ask: Ask) -> Answer:
        """DELETE the same; 404 where there is none."""
        extras: dict[str, str] = getattr(self._owners.hook(ask), listed)
        if extras.pop(ask.names[-1], None) is None:
            raise not_found()
        return Answer(204)

    def _row(self, hook: Hook, ask: Ask) -> Json:
        return hook_row(hook, self._company.behaviour, ask.now)
