"""A browser as GitLab and the hub see one: it keeps cookies and goes where it is sent."""

from urllib.parse import parse_qs, urlsplit

import httpx

MOST_HOPS = 5


class Browser(httpx.Client):
    """A browser that goes to the given origins and to no others; where else it is sent is where its way ends."""

    def __init__(self, *origins: str) -> None:
        super().__init__(trust_env=False, timeout=60)
        self._origins = tuple(_origin(one) for one in origins)
        self.pages: list[httpx.Response] = []

    def go(self, url: str, *, until: str = "") -> str:
        """Open an address and follow redirections; gives where the way ended, unless at a page: then ''.

        `until`: the beginning of an address at which it stops before opening it.
        """
        for _ in range(MOST_HOPS):
            if _origin(url) not in self._origins or (until and url.startswith(until)):
                return url
            page = self.get(url)
            self.pages.append(page)
            if not page.has_redirect_location:
                return ""
            url = page.headers["location"]
        raise AssertionError(f"redirected for ever: {url}")

    @property
    def page(self) -> tuple[int, str]:
        """The status and the text of the page that is shown."""
        return self.pages[-1].status_code, self.pages[-1].text


def query(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
