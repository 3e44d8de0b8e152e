"""The routes of each HTTP function; building them touches nothing outside the process.

Imports stand inside the functions: a cold start pays for what its function uses, and nothing else.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gitlab_hub import wiring, wiring_events

if TYPE_CHECKING:
    from gitlab_hub.web.route import Route


def integrations_routes() -> list["Route"]:
    """Everything about connecting a GitLab, and about the hooks in it."""
    hooks = wiring_events.hooks()
    parts = wiring.integrations().routes(
        cursors=wiring.cursors(),
        syncs=wiring.syncs(),
        webhook_url=wiring.public_url().webhook,
        base_url=wiring.public_url().base,
        hook_view=hooks.shown,
        hooks_of=hooks.of_projects,
    )
    return [route for part in (*parts, hooks.routes(wiring.cursors(), wiring.audit())) for route in part.routes()]


def oauth_routes() -> list["Route"]:
    """Authorizing an OAuth application."""
    # The exchange of the code takes its own seconds of the thirty that the gateway waits.
    part = wiring.integrations(verify_within=15.0).oauth_routes(
        key=lambda: wiring.master_key().derive("oauth"),
        initiators=wiring.token_book(),
        base_url=wiring.public_url().base,
        allowed_return_urls=wiring.settings().allowed_return_urls,
    )
    return list(part.routes())


def webhooks_routes() -> list["Route"]:
    """Taking webhooks in."""
    from gitlab_hub.webhooks.receiver_routes import ReceiverRoutes

    return list(ReceiverRoutes(wiring_events.receiver()).routes())


def builds_routes() -> list["Route"]:
    """Triggers, builds, deliveries."""
    from gitlab_hub import joints
    from gitlab_hub.webhooks.hook_store import HookStore

    store, cursors = wiring.integration_store(), wiring.cursors()
    everybody = joints.Everybody(store)
    builds = wiring_events.builds().routes(
        cursors=cursors,
        integrations=store,
        audit=wiring.audit(),
        key=wiring_events.signing_key,
        check_target=wiring_events.target_check(),
        hooks=joints.HooksFor(HookStore(wiring.table(wiring.settings().deliveries_table))),
    )
    deliveries = wiring_events.deliveries().routes(guard=store, visible=everybody.seen_by, cursors=cursors)
    return [route for part in (*builds, deliveries) for route in part.routes()]


def access_routes() -> list["Route"]:
    """Reading the access sync's rows back."""
    from gitlab_hub.access.reader import AccessReader
    from gitlab_hub.access.routes import AccessRoutes

    reader = AccessReader(wiring.table(wiring.settings().access_table), now=time.time)
    return list(AccessRoutes(reader, wiring.cursors()).routes())


def pipelines_routes() -> list["Route"]:
    """Reading the pipelines sync's rows back."""
    from gitlab_hub.pipelines.completeness import CompletenessReader, CompletenessRoutes
    from gitlab_hub.pipelines.reader import PipelineReader
    from gitlab_hub.pipelines.routes import PipelineRoutes

    table, cursors = wiring.table(wiring.settings().pipelines_table), wiring.cursors()
    parts = (
        PipelineRoutes(PipelineReader(table), cursors),
        CompletenessRoutes(CompletenessReader(table, time.time), cursors),
    )
    return [route for part in parts for route in part.routes()]


def operations_routes() -> list["Route"]:
    """Health, tokens, incidents, the audit log, and the description of everything."""
    from gitlab_hub.audit import AuditReader
    from gitlab_hub.incidents import IncidentStore
    from gitlab_hub.web.audit_routes import AuditRoutes
    from gitlab_hub.web.health import HealthRoutes
    from gitlab_hub.web.incident_routes import IncidentRoutes
    from gitlab_hub.web.openapi import OpenApiRoutes
    from gitlab_hub.web.token_routes import TokenRoutes
    from gitlab_hub.web.tokens import TokenStore
    from gitlab_hub.web.whoami import WhoAmIRoutes

    state, cursors = wiring.integrations_table(), wiring.cursors()
    store = TokenStore(state)
    tokens = TokenRoutes(store, wiring.master_key(), cursors, wiring.audit(), time.time)
    incidents = IncidentRoutes(IncidentStore(state, time.time), cursors)
    log = AuditRoutes(AuditReader(state, time.time), cursors)
    parts = (HealthRoutes(), WhoAmIRoutes(store), tokens, incidents, log, OpenApiRoutes(all_routes))
    return [route for part in parts for route in part.routes()]


def all_routes() -> Iterable["Route"]:
    """The routes of all functions together, as `/openapi.json` shows them."""
    parts = (integrations_routes, oauth_routes, webhooks_routes, access_routes, pipelines_routes, builds_routes)
    return [route for part in (*parts, operations_routes) for route in part()]
