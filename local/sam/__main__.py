"""`make sam-local`: runs every function with every event in containers, then the whole API."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from local.build import ROOT, this_machine
from local.options import Options
from local.problems import Problem, Stopped
from local.sam.engine import docker, docker_engine, gateway_of
from local.sam.proof import TOKEN, cases, environment_of, judge
from local.sam.relay import relayed
from local.state_folder import listen
from local.tools import end, environment, find, run
from local.up import running, stopped_by_signals

_TAG = "localhost/gitlab-hub-python"
_STARTUP = 120.0


class SamLocal:
    """`sam local` with everything it must be told."""

    def __init__(self, work: Path, docker_env: dict[str, str]) -> None:
        self._work = work
        target = this_machine()
        self._overrides = [f"PythonRuntime={target.runtime}", f"Architecture={target.architecture}"]
        # No credentials at all: with some, `sam local` asks AWS who they belong to before every call.
        self._env = {name: value for name, value in environment(**docker_env).items() if not name.startswith("AWS_")}
        self._env |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
        self._image = _image(docker_env, self._env, work)

    def build(self) -> Path:
        """Build as for Lambda."""
        arguments = [find("sam"), "build", "--parallel", "--build-dir", str(self._work / "build")]
        run(
            [*arguments, "--parameter-overrides", *self._overrides],
            env=self._env,
            log=self._work / "build.log",
            cwd=ROOT,
        )
        return self._work / "build" / "template.yaml"

    def command(self, *arguments: str) -> list[str]:
        """One `sam local` command."""
        common = ["--template", str(self._work / "build" / "template.yaml"), "--env-vars", str(self._work / "env.json")]
        return [find("sam"), "local", *arguments, *common, *self._image, "--parameter-overrides", *self._overrides]

    def invoke(self, function: str, event: Path) -> tuple[str, str]:
        """What a function answers to an event, and what it logs."""
        done = subprocess.run(
            self.command("invoke", function, "--event", str(event)),
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Problem(f"`sam local invoke {function}` failed: {(done.stderr.splitlines() or ['?'])[-1]}")
        return done.stdout, done.stderr

    @contextmanager
    def api(self) -> Iterator[int]:
        """`sam local start-api`, and its port."""
        with closing(listen(0)) as probe:
            port = int(probe.getsockname()[1])
        with (self._work / "api.log").open("wb") as log:
            arguments = self.command("start-api", "--port", str(port), "--host", "127.0.0.1")
            server = subprocess.Popen(arguments, env=self._env, stdout=log, stderr=log, start_new_session=True)
            try:
                yield port
            finally:
                end(server)


def _image(docker_env: dict[str, str], env: dict[str, str], work: Path) -> list[str]:
    version = this_machine().runtime.removeprefix("python")
    if docker(docker_env, "pull", "--quiet", f"public.ecr.aws/lambda/python:{version}", check=False).returncode == 0:
        return []
    print("No image registry answers: the base image is made from this machine's Python.", flush=True)
    script = Path(__file__).with_name("lambda-image.sh")
    run([str(script), sys.executable, f"{_TAG}:{version}"], env=env, log=work / "image.log")
    return ["--skip-pull-image", "--invoke-image", f"{_TAG}:{version}"]


def prove() -> None:
    """Run the whole proof; every line it prints is one thing that worked."""
    with ExitStack() as cleanup:
        docker_env = cleanup.enter_context(docker_engine())
        work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="gitlab-hub-sam-")))
        with closing(listen(0)) as probe:
            port = int(probe.getsockname()[1])
        options = Options(port=port, state_dir=work / "state", owner_token=TOKEN, schedules=False)
        local = cleanup.enter_context(running(options))
        bridge = docker(docker_env, "network", "inspect", "bridge").stdout
        endpoint = cleanup.enter_context(relayed(gateway_of(bridge), local.emulator_port))
        sam = SamLocal(work, docker_env)
        found = list(cases(yaml_parse(sam.build().read_text()), ROOT / "events"))
        settings = environment_of(local.stack, sorted({case.function for case in found}), endpoint)
        (work / "env.json").write_text(json.dumps(settings))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for case, said in zip(
                found, pool.map(lambda case: sam.invoke(case.function, case.event), found), strict=True
            ):
                print(f"invoke     {case.name:<40} {judge(case, *said)}", flush=True)
        with sam.api() as api_port:
            prove_api(api_port)


def prove_api(port: int) -> None:
    """Call the API as nobody and as its owner."""
    wait_for(port)
    for path, token, wanted in (
        ("/healthz", None, 200),
        ("/v1/integrations", None, 401),
        ("/v1/integrations", TOKEN, 200),
    ):
        status = call(port, path, token)
        who = "owner" if token else "nobody"
        if status != wanted:
            raise Problem(f"start-api: GET {path} as {who} says {status}, not {wanted}")
        print(f"start-api  GET {path:<28} as {who:<7} {status}", flush=True)


def call(port: int, path: str, token: str | None) -> int:
    """The status of a GET."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def wait_for(port: int) -> None:
    """Wait until the API listens."""
    deadline = time.monotonic() + _STARTUP
    while time.monotonic() < deadline:
        try:
            call(port, "/healthz", None)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise Problem("`sam local start-api` did not start")


def main() -> int:
    """Prove, or say in one line why not."""
    with stopped_by_signals():
        try:
            prove()
        except Problem as problem:
            print(f"sam-local: {problem}", file=sys.stderr)
            return 2
        except Stopped:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
