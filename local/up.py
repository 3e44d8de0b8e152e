"""`python -m local up`: emulator, build, deployment, reverse proxy, until a signal comes."""

import argparse
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType

from local.build import build, this_machine
from local.deploy import deploy, fingerprint, parameters
from local.emulator import Emulator
from local.emulator_fixes import repair_concurrency
from local.gateway import Gateway
from local.options import Options, add_up_arguments, up_options
from local.owner import put_client_secret, put_owner_token
from local.problems import Problem, Stopped
from local.proxy import ReverseProxy
from local.stack import Stack
from local.state_folder import Home, listen
from local.warm_up import warm_up

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str]) -> int:
    """Run the bundle until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local up", description="Run the bundle on this machine.")
    add_up_arguments(parser)
    options = up_options(parser.parse_args(arguments))
    with stopped_by_signals():
        try:
            with running(options, say=_to_stderr) as local:
                print(f"Owner token: {local.owner_token}")
                print(f"Console: {local.url}/console (sign in with the owner token)")
                print(f"READY {local.url}", flush=True)
                local.wait()
        except Stopped:
            print("stopped", flush=True)
    return 0


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class LocalStack:
    """A bundle that runs: where it answers, who may do everything, when it ends."""

    def __init__(self, url: str, owner_token: str, stack: Stack, emulator: Emulator) -> None:
        self.url = url
        self.owner_token = owner_token
        self.stack = stack
        self._emulator = emulator

    @property
    def emulator_port(self) -> int:
        """Where the emulator listens."""
        return self._emulator.port

    def wait(self) -> None:
        """Wait for a signal; complain if the emulator goes first."""
        while self._emulator.alive:
            time.sleep(0.5)
        raise Problem(f"the emulator ended by itself (see {self._emulator.log})")


@contextmanager
def running(
    options: Options, say: Callable[[str], object] = lambda _: None, prepare: Callable[[Stack], object] = lambda _: None
) -> Iterator[LocalStack]:
    """Run the bundle for as long as the block lasts; nothing is left behind however it ends.

    `say` hears each step; `prepare` may change the deployed stack before any of its functions is loaded.
    """
    with closing(listen(options.port)) as listening, Home(options.state_dir) as home:
        emulator = Emulator(home.path, home.emulator_port())
        try:
            emulator.start()
            wanted, stack = _deployed(options, emulator, home, say)
            token = put_owner_token(stack, options.owner_token, is_new=home.deployed is None)
            put_client_secret(stack, options.console_client_secret)
            prepare(stack)
            with _open_proxy(listening, emulator.port, Gateway(stack).api_id):
                say("Loading the functions …")
                warm_up(options.port, token, stack, log=emulator.log)
                try:
                    yield LocalStack(f"http://127.0.0.1:{options.port}", token, stack, emulator)
                finally:
                    home.deployed_at_stop = wanted
        finally:
            # Also of a start that failed: what it has deployed is named by addresses with this port.
            if emulator.stop(save=options.keep_state):
                home.remember(emulator_port=emulator.port)


def _deployed(options: Options, emulator: Emulator, home: Home, say: Callable[[str], object]) -> tuple[str, Stack]:
    target = this_machine()
    say("Building the bundle …")
    built = build(target)
    values = parameters(options, target, emulator.endpoint)
    wanted = fingerprint(built, values)
    emulator.wait_until_ready()
    stack = Stack(emulator.endpoint)
    if home.deployed != wanted or not stack.exists():
        say("Deploying it to the emulator …")
        deploy(built, values, stack)
    repair_concurrency(stack)
    Gateway(stack).put_routes()
    return wanted, stack


@contextmanager
def _open_proxy(listening: socket.socket, upstream_port: int, api_id: str) -> Iterator[None]:
    proxy = ReverseProxy(listening, upstream_port, f"{api_id}.execute-api.localhost:{upstream_port}")
    proxy.open()
    try:
        yield
    finally:
        proxy.close()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into `Stopped`; further ones do not disturb the cleaning up."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.write(2, b"\nstopping ...\n")  # at once, whatever is being printed or awaited
        raise Stopped

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
