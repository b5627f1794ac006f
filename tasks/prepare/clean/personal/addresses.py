"""Addresses: of e-mail, and of machines on the internet (IPv4 and IPv6)."""

import ipaddress
import re
from collections.abc import Iterator
from string import digits

from tasks.prepare.clean.kinds import by_kind, signs

_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-]|\.[^\W\d_])"
)
# anna (at) host (dot) org: brackets only, for words such as `at` and `dot` stand in any text
_SPELLED = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]{1,63}"
    r"(?:(?:\s?[\[({]\s?dot\s?[\])}]\s?|\.)[\w-]{1,63}){1,6}(?!\w)",
    re.IGNORECASE,
)
_AT = re.compile(r"[\[({]\s?at\s?[\])}]", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"://[^\s/]{0,80}$")  # user@host of a URL
_REMOTE = re.compile(r":[\w~/.]")  # user@host:path, as git, scp and rsync have it
_CALLED = re.compile(r"\(")  # A@B.conj(): matrices
_VERSION = re.compile(r"v?\d+(?:\.\d+)+|\d+x\.")  # tool@1.2.0-rc.a, icon@2x.png
_FILES = frozenset({
    "avif", "bmp", "css", "csv", "gif", "htm", "html", "ico", "jpeg", "jpg", "js", "json", "md", "pdf", "png",
    "svg", "toml", "txt", "webp", "xml", "yaml", "yml",
})  # fmt: skip

_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\w|/\d)")
_DIGITS_AND_DOTS = signs({"1": digits, ".": "."}, others="?")
_VERSIONED = re.compile(
    r"(?:\b(?:v|ver|version|versions|release|rel|build|firmware|driver|patch|kernel|section|sec|chapter|oid|"
    r"clause|update|upgrade)\b\.?|[=<>~!]=|\u00a7)\s*[:=]?\s*(?:to\s+)?$|(?<!/)/$",
    re.IGNORECASE,
)
_COLON = re.compile(r"[23][0-9A-Fa-f]{3}:")  # in each of the next
_IPV6 = re.compile(
    r"(?<![\w:.])[23][0-9a-f]{3}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{0,4}(?![\w:]|/\d)", re.IGNORECASE
)
# Addresses that everybody has, and numbers that are written as an example.
_NOBODYS = frozenset({
    "1.0.0.1", "1.0.0.2", "1.0.0.3", "1.1.1.1", "1.1.1.2", "1.1.1.3", "1.2.3.4", "4.3.2.1", "8.8.4.4",
    "8.8.8.8", "9.9.9.9", "149.112.112.112", "208.67.220.220", "208.67.222.222", "2001:4860:4860::8844",
    "2001:4860:4860::8888", "2606:4700:4700::1001", "2606:4700:4700::1111", "2620:fe::9", "2620:fe::fe",
})  # fmt: skip


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses of e-mail stand; none are the remotes of git and ssh, versions and names of files."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            host = match[0].rpartition("@")[2]
            if not (
                _VERSION.match(host)
                or host.rpartition(".")[2].lower() in _FILES
                or _REMOTE.match(text, match.end())
                or _CALLED.match(text, match.end())
                or _IN_ADDRESS.search(text, max(0, match.start() - 90), match.start())
            ):
                yield _without_quotes(text, *match.span())
    if _AT.search(text):
        yield from (match.span() for match in _SPELLED.finditer(text) if "dot" in match[0].lower())


def ips(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses of machines stand that can be reached from anywhere.

    None are those of private networks, of the machine itself and of documentation (RFC 1918, 5737, 3849),
    networks (`/24`), versions with four parts, and those of the large public name servers.
    """
    patterns = (
        *((_IPV4,) if b"1.1" in by_kind(text, _DIGITS_AND_DOTS) else ()),
        *((_IPV6,) if _COLON.search(text) else ()),
    )
    for pattern in patterns:
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match[0])
            except ValueError:
                continue
            if (
                address.is_global
                and not address.is_multicast
                and match[0].lower() not in _NOBODYS
                and not _VERSIONED.search(text, max(0, match.start() - 24), match.start())
            ):
                yield match.span()


def _without_quotes(text: str, start: int, end: int) -> tuple[int, int]:
    while text[start] in "'.%":
        start += 1
    return start, end
