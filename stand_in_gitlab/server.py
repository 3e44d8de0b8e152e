"""Serves the stand-in on the loopback interface."""

import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.problems import Problem
from stand_in_gitlab.app import Scope, StandIn
from stand_in_gitlab.clock import Clock
from stand_in_gitlab.company.applications import REDIRECT_URI, add_application
from stand_in_gitlab.company.build import Sizes, build
from stand_in_gitlab.company.subscription import subscribe
from stand_in_gitlab.fault_injection import Line
from stand_in_gitlab.webhooks.transport import Post, http_post

HOST = "127.0.0.1"
IDLE_SECONDS = 75
APPLICATION = "hub"
TICKS = 10  # of a tenth of a second each


def stand_in(
    base: str,
    *,
    seed: int = 1,
    sizes: Sizes | None = None,
    root_path: str = "",
    latency_ms: float = 0,
    epoch: float | None = None,
    frozen: bool = False,
    gitlab_com: bool = False,
    redirect_uris: Sequence[str] = (),
    post: Post = http_post,
) -> StandIn:
    """Build a company and the application over it, without any socket; `post` is what calls hooks."""
    sizes = sizes or Sizes()
    clock = Clock(epoch, frozen=frozen)
    company = build(seed, clock.epoch, sizes)
    if gitlab_com:
        subscribe(company)
    add_application(company, APPLICATION, redirect_uris or [REDIRECT_URI])
    return StandIn(company, clock, base, root_path=root_path, latency=latency_ms / 1000, jobs=sizes.jobs, post=post)


def serve(
    port: int = 8929,
    seed: int = 1,
    users: int = 60,
    groups: int = 12,
    projects: int = 30,
    latency_ms: float = 0,
    *,
    pipelines: int = 5,
    jobs: int = 8,
    root_path: str = "",
    epoch: float | None = None,
    frozen: bool = False,
    gitlab_com: bool = False,
    redirect_uri: Sequence[str] = (),
    say: Callable[[str], object],
) -> None:
    """Serve until a signal comes. `READY` is printed when connections are accepted; port 0 takes any free one."""
    try:
        listener = socket.create_server((HOST, port), backlog=512)
    except OSError:
        raise Problem(
            f'port {port} is in use or not allowed: give another one with --port (make: ARGS="--port …")'
        ) from None
    base = f"http://{HOST}:{listener.getsockname()[1]}"
    sizes = Sizes(users=users, groups=groups, projects=projects, pipelines=pipelines, jobs=jobs)
    app = stand_in(
        base,
        seed=seed,
        sizes=sizes,
        root_path=root_path,
        latency_ms=latency_ms,
        epoch=epoch,
        frozen=frozen,
        gitlab_com=gitlab_com,
        redirect_uris=redirect_uri,
    )
    for name, value in app.company.well_known.items():
        say(f"TOKEN {name} {value}")
    for application in app.company.applications.values():
        say(f"APPLICATION {application.name} {application.client_id} {application.client_secret}")
    with suppress(KeyboardInterrupt):
        _Server(_config(app), lambda: say(f"READY {app.rest.base}"), app.catch_up).run(sockets=[listener])


def _config(app: StandIn) -> uvicorn.Config:
    lines: dict[tuple[str, int], Line] = {}

    class Tracked(H11Protocol):
        """Remembers its connection, so that faults can reach below HTTP."""

        def connection_made(self, transport: Any) -> None:
            # asyncio sets this only on sockets made with an explicit protocol; without it small answers wait 40 ms.
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines[transport.get_extra_info("peername")] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            lines.pop(self.transport.get_extra_info("peername"), None)
            super().connection_lost(exc)

    def line_of(scope: Scope) -> Line | None:
        return lines.get(tuple(scope["client"]))

    app.lines = line_of
    return uvicorn.Config(
        app,
        http=Tracked,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=2,
    )


class _Server(uvicorn.Server):
    """Says when it is ready, and looks at the clock every now and then."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object], tick: Callable[[], Any]) -> None:
        super().__init__(config)
        self._ready, self._tick = ready, tick

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
        sys.stdout.flush()

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS == 0:
            self._tick()
        return await super().on_tick(counter)
