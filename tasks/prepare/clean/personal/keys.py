"""Keys, tokens and passwords: by the formats of who issues them, or random characters behind a word for them.

A format is looked for only where a text has the letters that it begins with: most texts cost no more than
that.
"""

import math
import re
import string
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from tasks.prepare.clean.kinds import by_kind, signs

_FORMATS = tuple(
    (hints, re.compile(pattern, re.DOTALL))
    for hints, pattern in (
        (("AKIA", "ASIA"), r"(?<!\w)A(?:KIA|SIA)[A-Z0-9]{16}(?!\w)"),  # Amazon
        (("AIza",), r"(?<!\w)AIza[\w-]{35}(?![\w-])"),  # Google
        (("ya29.",), r"(?<!\w)ya29\.[\w-]{20,}"),
        (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"(?<!\w)gh[pousr]_[A-Za-z0-9]{20,255}(?!\w)"),  # GitHub
        (("github_pat_",), r"(?<!\w)github_pat_\w{20,255}"),
        (("glpat-", "glptt-", "gldt-", "glrt-"), r"(?<!\w)gl(?:pat|ptt|dt|rt)-[\w-]{20,}"),  # GitLab
        (("xox", "xapp-"), r"(?<!\w)(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}"),  # Slack
        (("hooks.slack.com/",), r"(?<=hooks\.slack\.com/services/)[\w/]{20,}"),
        (("/api/webhooks/",), r"(?<=/api/webhooks/)\d{15,20}/[\w-]{40,}"),  # Discord
        (("sk_live_", "sk_test_", "rk_live_"), r"(?<!\w)[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),  # Stripe
        (("hf_",), r"(?<!\w)hf_[A-Za-z0-9]{30,}"),  # Hugging Face
        (("npm_",), r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)"),
        (("pypi-",), r"(?<!\w)pypi-[\w-]{50,}"),
        (("SG.",), r"(?<!\w)SG\.[\w-]{16,}\.[\w-]{16,}"),  # SendGrid
        (("dop_v1_", "doo_v1_"), r"(?<!\w)do[op]_v1_[0-9a-f]{64}"),  # DigitalOcean
        (("dapi",), r"(?<!\w)dapi[0-9a-f]{32}(?!\w)"),  # Databricks
        (("shpat_", "shpss_", "shpca_"), r"(?<!\w)shp(?:at|ss|ca)_[0-9a-fA-F]{32}"),  # Shopify
        ((":AA",), r"(?<!\w)\d{8,10}:AA[\w-]{33}(?![\w-])"),  # Telegram
        (("AGE-SECRET-KEY-",), r"AGE-SECRET-KEY-1[A-Z0-9]{50,}"),
        (("eyJ",), r"(?<![\w.])eyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]+){0,3}"),  # JWT
    )
)
_HINTS = tuple(hint for hints, _ in _FORMATS for hint in hints)
# None of these has a blank in it.
_SHORTEST_KEY = 15  # characters
_BLANKS = signs({" ": string.whitespace}, others="a")
_PRIVATE_KEY = re.compile(  # PEM and OpenPGP, where a key stands and not only its first line
    r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----(?=.{0,400}?[A-Za-z0-9+/]{30})"
    r"(?:(?:(?!-----).){0,20000}-----END [A-Z0-9 ]{1,60}-----|[A-Za-z0-9+/=\s\\]{30,20000})",
    re.DOTALL,
)
_SECRET_KEY = re.compile(
    r"(?<![\w-])sk-[\w-]{20,}"
)  # OpenAI, Anthropic and others; `sk-top-container` is a name
_PASSWORD_IN_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,64}:([^\s/@\"'<>]{3,128})@[\w\[]"
)
_NO_PASSWORD = re.compile(
    r"[$%{\[<(].*|[*x.]+|(?:my|your|the|db|some|user)?[-_]?(?:pass|passw|password|passwd|pwd|pw|secret|token|key)\d?",
    re.IGNORECASE,
)
_STRONG = (
    "secret",
    "token",
    "passw",
    "pwd",
    "kennwort",
    "passphrase",
    "bearer",
    "credential",
    "api",
    "access",
)
_WORDS = (*_STRONG, "key", "authorization")
_SAID = re.compile(
    r"(?P<word>secret|token|passw(?:or[dt])?|passwd|passphrase|pwd|kennwort|bearer|credential|key|authorization)s?"
    r"(?!\w)[\"'`\])]{0,2}\s{0,3}(?:(?:[:=]{1,2}>?|,|is|ist|was)\s{0,3})?[\"'`]{0,3}"
    r"(?:(?:bearer|basic|token)\s{1,3})?(?P<value>[A-Za-z0-9+/_=.~-]{16,500})",
    re.IGNORECASE,
)
_SHORTEST = 16  # characters of a value
_MORE = 12  # characters before the word that say more about it: `api_key`, `public key`
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HASH = re.compile(r"(?:0x)?[0-9a-f]{16,128}|(?:sha\d+|md5)[-:].*", re.IGNORECASE)
# Of changes between small letters, capitals and digits, a character: by chance 0.45, in names below 0.2.
_LEAST_CHANGES = 0.25
_LEAST_WITHOUT_DIGITS = 0.35
_LEAST_BITS = 2.8  # of entropy, a character: `1x1x1x` is no secret


def keys(text: str) -> Iterator[tuple[int, int]]:
    """Where keys, tokens and passwords stand."""
    if b"a" * _SHORTEST_KEY in by_kind(text, _BLANKS):
        yield from _formatted(text)
    if "://" in text and "@" in text:
        for match in _PASSWORD_IN_ADDRESS.finditer(text):
            if not _NO_PASSWORD.fullmatch(match[1]):
                yield match.span(1)
    if b"a" * _SHORTEST in by_kind(text, _BLANKS) and any(map(text.lower().__contains__, _WORDS)):
        yield from _behind_words(text)


def _formatted(text: str) -> Iterator[tuple[int, int]]:
    """Keys by the formats of who issues them."""
    long = " ".join(word for word in text.split() if len(word) >= _SHORTEST_KEY)
    for hints, pattern in _FORMATS if any(map(long.__contains__, _HINTS)) else ():
        if any(map(long.__contains__, hints)):
            yield from (match.span() for match in pattern.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (match.span() for match in _PRIVATE_KEY.finditer(text))
    if "sk-" in long:
        yield from (match.span() for match in _SECRET_KEY.finditer(text) if _is_random(match[0][3:]))


def _behind_words(text: str) -> Iterator[tuple[int, int]]:
    """Random characters behind a word such as `token`; behind `key` alone, checksums and ids are none."""
    for match in _SAID.finditer(text):
        value = match["value"].rstrip(".-~/")
        word = text[max(0, match.start() - _MORE) : match.end("word")].lower()
        named = any(strong in word for strong in _STRONG)
        if "public" in word or _UUID.fullmatch(value) or (not named and _HASH.fullmatch(value)):
            continue
        if _is_random(value):
            yield match.start("value"), match.start("value") + len(value)


def _is_random(value: str) -> bool:
    """Whether characters look drawn by chance: kinds of characters change far more often than in names."""
    longest = max(re.split(r"[-_./+=~]", value), key=len)
    kinds = ["d" if c.isdigit() else "u" if c.isupper() else "l" for c in longest]
    # A capital before small letters begins a word: that is no change.
    changes = sum(one != other and (one, other) != ("u", "l") for one, other in pairwise(kinds))
    least = _LEAST_CHANGES if "d" in kinds else _LEAST_WITHOUT_DIGITS
    if len(longest) < 10 or set(kinds) == {"d"} or changes < least * len(longest):
        return False
    counts = Counter(longest)
    bits = -sum(n / len(longest) * math.log2(n / len(longest)) for n in counts.values())
    return bits >= _LEAST_BITS
