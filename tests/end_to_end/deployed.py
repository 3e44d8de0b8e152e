"""The bundle on this machine, for as long as a test wants it to run."""

from contextlib import ExitStack

from local.options import Options
from local.up import running
from tests.end_to_end.hub_client import Hub
from tests.end_to_end.recorder import Recorder


class Deployed:
    """The bundle on this machine: it can be stopped and started, and keeps what it has stored."""

    def __init__(self, options: Options) -> None:
        self._options, self._running, self._listening = options, ExitStack(), ExitStack()
        self.recorder = Recorder()
        self._listening.enter_context(self.recorder.listening())

    def start(self) -> Hub:
        """Start it, deployed already or not."""
        local = self._running.enter_context(running(self._options, prepare=self.recorder.attach))
        log = self._options.state_dir / "emulator.log"
        return Hub(self._options.port, local.owner_token, local.stack, log)

    def stop(self) -> None:
        """Stop it; nothing of it is left running."""
        self._running.close()

    def end(self) -> None:
        """Stop it for good, with what listens to its calls."""
        self.stop()
        self._listening.close()
