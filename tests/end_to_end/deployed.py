"""The bundle on this machine, for as long as a test wants it to run."""

from contextlib import ExitStack

from local.options import Options
from local.up import running
from tests.end_to_end.hub import Hub


class Deployed:
    """The bundle on this machine: it can be stopped and started, and keeps what it has stored."""

    def __init__(self, options: Options) -> None:
        self._options, self._running = options, ExitStack()

    def start(self) -> Hub:
        """Start it, deployed already or not."""
        local = self._running.enter_context(running(self._options))
        log = self._options.state_dir / "emulator.log"
        return Hub(self._options.port, local.owner_token, local.stack, log)

    def stop(self) -> None:
        """Stop it; nothing is left running."""
        self._running.close()
