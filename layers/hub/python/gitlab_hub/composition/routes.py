"""The routes of each HTTP function; with `access_routes` the one place that knows them, so that workers load none.

Building them touches nothing outside the process. Imports stand inside the functions: a cold start pays for what its
function uses, and nothing else.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gitlab_hub.composition.container import Container
    from gitlab_hub.web.route import Route, Routes


def integrations_routes(container: "Container") -> list["Route"]:
    """Everything about connecting a GitLab, and about the hooks in it."""
    from gitlab_hub.composition.adapters import UnreadLists
    from gitlab_hub.integrations.credential_routes import CredentialRoutes
    from gitlab_hub.integrations.oauth.routes import CALLBACK
    from gitlab_hub.integrations.routes import IntegrationRoutes
    from gitlab_hub.integrations.scope_routes import ScopeRoutes
    from gitlab_hub.integrations.sync_routes import SyncRoutes
    from gitlab_hub.integrations.token_routes import GitLabTokenRoutes
    from gitlab_hub.webhooks.hooks.routes import HookRoutes

    feature, hooks, syncs, cursors = (
        container.integrations(), container.hooks, container.syncs, container.cursors,
    )  # fmt: skip
    return _of(
        IntegrationRoutes(
            connector=feature.connector,
            oauth=feature.oauth_start,
            updater=feature.updater,
            removal=feature.removal,
            store=feature.store,
            cursors=cursors,
            sync_view=syncs.view,
            hook_view=hooks.summary,
            unread_lists=UnreadLists(container.integrations_table),
            webhook_url=container.public_url.webhook,
            callback_url=lambda: container.public_url.base() + CALLBACK,
            now=container.now,
        ),
        GitLabTokenRoutes(
            token_service=feature.token_service,
            token_rotation=feature.token_rotation,
            repositories=feature.repositories,
            hooks_of=hooks.of_projects,
            cursors=cursors,
        ),
        CredentialRoutes(feature.credentials, now=container.now),
        SyncRoutes(syncs, store=feature.store, cursors=cursors),
        ScopeRoutes(syncs, cursors),
        HookRoutes(hooks.service, cursors, container.audit),
    )


def oauth_routes(container: "Container") -> list["Route"]:
    """Authorizing an OAuth application."""
    from gitlab_hub.integrations.oauth.return_urls import ReturnUrls
    from gitlab_hub.integrations.oauth.routes import OAuthRoutes

    # The exchange of the code takes its own seconds of the thirty that the gateway waits.
    feature = container.integrations(verify_within=15.0)
    flow = feature.oauth_flow(
        key=lambda: container.master_key.derive("oauth"), principals=container.token_authenticator
    )
    return _of(
        OAuthRoutes(
            flow,
            exists=feature.store.exists,
            base_url=container.public_url.base,
            return_urls=ReturnUrls(container.settings.allowed_return_urls),
            now=container.now,
        )
    )


def webhooks_routes(container: "Container") -> list["Route"]:
    """Taking webhooks in."""
    from gitlab_hub.webhooks.receiving.routes import ReceiverRoutes

    return _of(ReceiverRoutes(container.receiver()))


def builds_routes(container: "Container") -> list["Route"]:
    """Triggers, builds, deliveries."""
    from gitlab_hub.builds.runs.feature import commands_of
    from gitlab_hub.builds.runs.routes import BuildRoutes
    from gitlab_hub.builds.targets.routes import SigningRoutes
    from gitlab_hub.builds.targets.signing import SecretVersions, TargetSecrets
    from gitlab_hub.builds.triggers.checks import TriggerChecks
    from gitlab_hub.builds.triggers.routes import TriggerRoutes
    from gitlab_hub.builds.triggers.service import TriggerService
    from gitlab_hub.composition.adapters import AllIntegrations, WebhookCoverage
    from gitlab_hub.webhooks.deliveries.log import DeliveryLog
    from gitlab_hub.webhooks.deliveries.routes import DeliveryRoutes
    from gitlab_hub.webhooks.hooks.store import HookStore

    store, cursors, audit, now = container.integration_store, container.cursors, container.audit, container.now
    builds, check_target = container.builds, container.target_check()
    triggers, table = builds.triggers, container.deliveries_table
    checks = TriggerChecks(
        group_lookup=triggers.group_lookup,
        gitlabs=container.gitlabs,
        hooks=WebhookCoverage(HookStore(table)),
        check_target=check_target,
    )
    service = TriggerService(store=triggers.store, integrations=store, audit=audit, now=now, checks=checks)
    return _of(
        TriggerRoutes(
            service=service,
            store=triggers.store,
            matcher=triggers.matcher,
            cursors=cursors,
            delivered=container.deliveries.replay.event,
        ),
        SigningRoutes(
            triggers=triggers.store,
            secrets=TargetSecrets(container.signing_key),
            versions=SecretVersions(table),
            audit=audit,
            now=now,
        ),
        BuildRoutes(
            store=builds.store,
            commands=commands_of(builds, audit=audit, check_target=check_target),
            triggers=triggers.store,
            integrations=store,
            cursors=cursors,
        ),
        DeliveryRoutes(
            log=DeliveryLog(table),
            replaying=container.deliveries.replay,
            guard=store,
            visible=AllIntegrations(store).seen_by,
            cursors=cursors,
        ),
    )


def access_routes(container: "Container") -> list["Route"]:
    """Reading the access sync's rows back, and what is made of them."""
    from gitlab_hub.composition.access_routes import access_parts

    return _of(*access_parts(container))


def pipelines_routes(container: "Container") -> list["Route"]:
    """Reading the pipelines sync's rows back."""
    from functools import partial

    from gitlab_hub.pipelines.completeness import CompletenessReader, CompletenessRoutes
    from gitlab_hub.pipelines.deployments.dora import DoraReader
    from gitlab_hub.pipelines.deployments.reader import DeploymentReader
    from gitlab_hub.pipelines.deployments.routes import DeploymentRoutes
    from gitlab_hub.pipelines.figures.completeness import completeness_of
    from gitlab_hub.pipelines.figures.reader import FigureReader
    from gitlab_hub.pipelines.figures.routes import FigureRoutes
    from gitlab_hub.pipelines.job_search import JobSearch
    from gitlab_hub.pipelines.reader import PipelineReader
    from gitlab_hub.pipelines.routes import PipelineRoutes
    from gitlab_hub.pipelines.selection import ProjectSelection

    table, cursors = container.table("pipelines_table"), container.cursors
    selection = ProjectSelection(table, container.table("access_table"))
    figures = FigureReader(table, selection, lambda: container.settings.runner_prices)
    return _of(
        FigureRoutes(figures, partial(completeness_of, table, selection), DoraReader(table, selection), container.now),
        PipelineRoutes(PipelineReader(table), JobSearch(table), selection, cursors),
        CompletenessRoutes(CompletenessReader(table, container.now), cursors),
        DeploymentRoutes(DeploymentReader(table), selection, cursors),
    )


def provisioning_routes(container: "Container") -> list["Route"]:
    """Changing access in GitLab, and closing reviews, which asks for changes."""
    from gitlab_hub.access.reader import AccessReader
    from gitlab_hub.access.reviews.closing import ReviewClosing
    from gitlab_hub.access.reviews.closing_routes import ReviewClosingRoutes
    from gitlab_hub.access.reviews.store import ReviewStore
    from gitlab_hub.composition.desired_mirror import DesiredMirror
    from gitlab_hub.composition.review_plans import ReviewPlans
    from gitlab_hub.provisioning.desired.routes import DesiredAccessRoutes
    from gitlab_hub.provisioning.desired.store import DesiredStore
    from gitlab_hub.provisioning.routes import PlanRoutes
    from gitlab_hub.provisioning.timed.routes import AccessRequestRoutes

    feature, cursors, now = container.provisioning, container.cursors, container.now
    table = container.table("access_table")
    plans = ReviewPlans(feature.store, feature.service, now)
    closing = ReviewClosing(ReviewStore(table), plans, container.audit, now)
    mirror = DesiredMirror(AccessReader(table, now=now))
    return _of(
        PlanRoutes(feature.service, cursors, now),
        AccessRequestRoutes(feature.asking, feature.deciding, feature.policies, cursors, now),
        ReviewClosingRoutes(closing),
        DesiredAccessRoutes(feature.service, DesiredStore(table), mirror, mirror, container.audit, now),
    )


def operations_routes(container: "Container") -> list["Route"]:
    """Health, tokens, incidents, the audit log, metrics, and the description of everything."""
    from gitlab_hub.audit.log import AuditReader
    from gitlab_hub.composition.adapters import metric_sources
    from gitlab_hub.console.link_routes import ConsoleLinkRoutes
    from gitlab_hub.console.links import LinkStore
    from gitlab_hub.pipelines.figures.metrics import MetricRoutes
    from gitlab_hub.web.audit_routes import AuditRoutes
    from gitlab_hub.web.incident_routes import IncidentRoutes
    from gitlab_hub.web.openapi import HealthRoutes, OpenApiRoutes
    from gitlab_hub.web.token_routes import TokenRoutes
    from gitlab_hub.web.tokens import TokenStore
    from gitlab_hub.web.whoami import WhoAmIRoutes

    store, cursors = TokenStore(container.integrations_table), container.cursors
    links = LinkStore(container.integrations_table, container.now)
    return _of(
        HealthRoutes(),
        WhoAmIRoutes(store),
        TokenRoutes(store, container.master_key, cursors, container.audit, container.now),
        ConsoleLinkRoutes(
            links, container.token_authenticator, container.master_key, container.audit, container.public_url.base
        ),
        IncidentRoutes(container.incidents, cursors),
        AuditRoutes(AuditReader(container.integrations_table, container.now), cursors),
        MetricRoutes(container.table("pipelines_table"), metric_sources(container), container.now),
        OpenApiRoutes(lambda: all_routes(container)),
    )


def all_routes(container: "Container") -> Iterable["Route"]:
    """The routes of all functions together, as `/openapi.json` shows them."""
    parts = (
        integrations_routes, oauth_routes, webhooks_routes, access_routes, provisioning_routes, pipelines_routes,
        builds_routes, operations_routes,
    )  # fmt: skip
    return [route for part in parts for route in part(container)]


def _of(*parts: "Routes") -> list["Route"]:
    return [route for part in parts for route in part.routes()]
