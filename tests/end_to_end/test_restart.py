"""What was connected and synced is there again after the local stack was stopped and started."""

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from local.gitlab.process import Running
from local.options import Options
from local.up import running
from tests.end_to_end.company import token
from tests.end_to_end.hub import Hub
from tests.end_to_end.truth import shown_access


@contextmanager
def up(options: Options) -> Iterator[Hub]:
    with running(options) as local:
        yield Hub(options.port, local.owner_token, local.stack, options.state_dir / "emulator.log")


@pytest.mark.slow
def test_an_integration_survives_a_restart(tmp_path: Path, gitlab: Running) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = int(probe.getsockname()[1])
    options = Options(port=port, state_dir=tmp_path, allow_loopback=True, allow_http=True, schedules=False)
    with up(options) as hub:
        one = hub.connect(gitlab.base, token(gitlab))
        hub.sync(one, "access")
        integrations, before = hub.rows("/v1/integrations"), shown_access(hub, one)
        cursor = hub.get(f"{one}/accounts", limit=5)["next_cursor"]
        following = hub.get(f"{one}/accounts", limit=5, cursor=cursor)
    with up(options) as hub:
        assert (hub.rows("/v1/integrations"), shown_access(hub, one)) == (integrations, before)
        assert hub.get(f"{one}/accounts", limit=5, cursor=cursor) == following
        assert hub.call("POST", f"{one}/verify").body["ok"] is True
        assert hub.get(f"{one}/sync")["kinds"]["access"]["status"] == "idle"
