"""Debian's Chromium, driven by its own chromedriver: the few commands of WebDriver that these tests need.

https://www.w3.org/TR/webdriver2/ for the commands; `goog/cdp/execute` is chromedriver's way to the DevTools protocol,
which WebDriver has no way to choose a colour scheme or the width of a phone without.
"""

import base64
import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

PATIENCE = 30.0
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, 12.2: how a reference to an element is spelled
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--force-prefers-reduced-motion",
)  # fmt: skip


def missing() -> str | None:
    """What is not installed, in a word; None where everything is."""
    wanted = {"chromium": "chromium", "chromedriver": "chromium-driver"}
    lacking = [package for program, package in wanted.items() if shutil.which(program) is None]
    return f"no browser: apt-get install {' '.join(lacking)}" if lacking else None


class Browser:
    """One window of a browser with cookies of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        options = {"binary": shutil.which("chromium"), "args": list(_ARGUMENTS)}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self._id = self._send("POST", "/session", {"capabilities": wanted})["sessionId"]

    def open(self, url: str) -> None:
        """Go to an address and wait until it has loaded."""
        self._command("POST", "/url", {"url": url})

    @property
    def url(self) -> str:
        """Where the browser is."""
        return str(self._command("GET", "/url"))

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page; `return` gives a value back. The page's own policy does not hold for it."""
        return self._command("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script: str, *arguments: Any) -> Any:
        """Run a script that calls its last argument with the value."""
        return self._command("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find(self, selector: str) -> str:
        """The first element that fits."""
        found = self._command("POST", "/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        """Click the first element that fits; it must be in sight and on top."""
        self._command("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type into the first element that fits."""
        self._command("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def press(self, keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._command("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def cookies(self) -> list[dict[str, Any]]:
        """The cookies of the page, those that no script reads too."""
        found: list[dict[str, Any]] = self._command("GET", "/cookie")
        return found

    def delete_cookies(self) -> None:
        """Drop all cookies."""
        self._devtools("Network.clearBrowserCookies")

    def screenshot(self, *, most: int | None = None) -> bytes:
        """The page as WebP, or no more than so many pixels of it from the top."""
        size = self._devtools("Page.getLayoutMetrics")["cssContentSize"]
        height = size["height"] if most is None else min(most, size["height"])
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1}
        shown = self._devtools(
            "Page.captureScreenshot", clip=clip, captureBeyondViewport=True, format="webp", quality=80
        )
        return base64.b64decode(shown["data"])

    def look(self, *, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        """Be so wide and high (CSS pixels), in a light or a dark room."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        self._devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def scripts(self, *, on: bool) -> None:
        """Let pages run scripts, or not."""
        self._devtools("Emulation.setScriptExecutionDisabled", value=not on)

    def log(self) -> list[str]:
        """What the browser complained of since it was asked last: refused scripts and styles, failed requests."""
        entries = self._command("POST", "/se/log", {"type": "browser"})
        return [str(entry["message"]) for entry in entries]

    def until(self, script: str, *arguments: Any) -> Any:
        """Run a script until it gives something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self.run(script, *arguments):
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE:.0f} s: {script}")

    def arrive(self, part: str) -> None:
        """Wait until this is part of the address; a page without scripts can be asked for nothing else."""
        deadline = time.monotonic() + PATIENCE
        while part not in self.url:
            assert time.monotonic() < deadline, (part, self.url)
            time.sleep(0.05)

    def close(self) -> None:
        """Close the window."""
        self._command("DELETE", "")

    def _devtools(self, method: str, **params: Any) -> Any:
        return self._command("POST", "/goog/cdp/execute", {"cmd": method, "params": params})

    def _command(self, method: str, path: str, body: Any = None) -> Any:
        return self._send(method, f"/session/{self._id}{path}", body)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=2 * PATIENCE)) as connection:
            connection.request(method, path, body=None if body is None else json.dumps(body))
            value = json.loads(connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise AssertionError(f"{method} {path}: {value['error']}: {value['message']}")
        return value


@contextmanager
def chromedriver() -> Iterator[int]:
    """The driver's port, for as long as the block lasts."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        port = int(probe.getsockname()[1])
    command = [str(shutil.which("chromedriver")), f"--port={port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:  # noqa: S603
        try:
            _wait(port)
            yield port
        finally:
            driver.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("chromedriver does not listen")
