"""Webhooks of a project, for its Maintainers."""

from typing import Any

from local.gitlab.company.hooks import FLAGS, add_hook
from local.gitlab.company.model import MAINTAINER, Hook
from local.gitlab.company.state import Company
from local.gitlab.rest.ask import Answer, Ask, reply
from local.gitlab.rest.find import Finder
from local.gitlab.rest.paging import numbered
from local.gitlab.rest.refusals import Refusal, bad_request, not_found
from local.gitlab.rest.shapes import Shapes


class HooksApi:
    """Creates, lists, changes and removes hooks; a hook's secret goes in and never comes out."""

    def __init__(self, company: Company, shapes: Shapes) -> None:
        self._company, self._shapes = company, shapes
        self._find = Finder(company)

    def many(self, ask: Ask) -> Answer:
        """GET /projects/:id/hooks."""
        project = self._find.kept_project(ask, MAINTAINER)
        return numbered(ask, list(self._company.hooks[project.id].values()), self._shapes.hook)

    def one(self, ask: Ask) -> Answer:
        """GET /projects/:id/hooks/:hook_id."""
        return reply(self._shapes.hook(self._hook(ask)))

    def create(self, ask: Ask) -> Answer:
        """POST /projects/:id/hooks."""
        project, url = self._find.kept_project(ask, MAINTAINER), _url(ask.sent)
        hook = add_hook(self._company, project.id, url, ask.now)
        _apply(hook, ask.sent)
        return reply(self._shapes.hook(hook), 201)

    def update(self, ask: Ask) -> Answer:
        """PUT /projects/:id/hooks/:hook_id. A new address wipes the secret, unless one comes with it."""
        hook, url = (
            self._hook(ask),
            _url({"url": ask.sent.get("url", "")} if "url" in ask.sent else {"url": "http://kept"}),
        )
        if "url" in ask.sent and url != hook.url:
            hook.url, hook.token = url, None
        _apply(hook, ask.sent)
        return reply(self._shapes.hook(hook))

    def delete(self, ask: Ask) -> Answer:
        """DELETE /projects/:id/hooks/:hook_id."""
        hook = self._hook(ask)
        del self._company.hooks[hook.project_id][hook.id]
        return Answer(204)

    def _hook(self, ask: Ask) -> Hook:
        project = self._find.kept_project(ask, MAINTAINER)
        hook = self._company.hooks[project.id].get(ask.integer(ask.names[1], "hook_id"))
        if hook is None:
            raise not_found()
        return hook


def _url(sent: dict[str, Any]) -> str:
    url = sent.get("url")
    if not url:
        raise bad_request("url is missing")
    if not str(url).startswith(("http://", "https://")):
        raise Refusal(422, {"error": "Invalid url given"})
    return str(url)


def _apply(hook: Hook, sent: dict[str, Any]) -> None:
    for flag in FLAGS:
        if flag in sent:
            hook.flags[flag] = str(sent[flag]).lower() in {"true", "1"}
    hook.token = sent.get("token", hook.token)
    hook.branch_filter = sent.get("push_events_branch_filter", hook.branch_filter)
    hook.name, hook.description = sent.get("name", hook.name), sent.get("description", hook.description)
