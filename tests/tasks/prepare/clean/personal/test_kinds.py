"""Protects what is taken for personal data: each kind in many forms, and none of what only looks like it."""

import base64
import random
import string
from collections.abc import Callable
from itertools import pairwise

import pytest

from tasks.prepare.clean.personal.spans import Finder, redacted
from tasks.prepare.clean_settings import PersonalKind
from tests.tasks.prepare.cleaning import cleaning

PERSONAL = cleaning().personal
FIND = Finder(tuple(PERSONAL.treatments()), PERSONAL.phone_regions)
ALNUM = string.ascii_letters + string.digits
SENTENCES = (
    "Please write to {} when it is done.",
    "{}",
    "This came from {}, as far as I know",
    "Call {} (not before noon).",
    "My token is {}.",
    'It says "{}" in the config:\nvalue = {}\n',
    "Use `{}` for that.",
)


def without(text: str) -> str:
    return redacted(text, FIND(text))[0]


def email(rand: random.Random) -> str:
    name = rand.choice(["anna.adler", "k_fischer", "o'hara", "m+lists", "m\u00fcller", "x1"])
    host = rand.choice(
        ["nordhafen.example", "mail.tinybox.test", "b-c.co.uk", "m\u00fcnchen.example", "sub.a1.museum"]
    )
    return f"{name}{rand.randrange(100)}@{host}"


def phone(rand: random.Random) -> str:
    digits = "".join(rand.choices(string.digits, k=4))
    return rand.choice(
        [
            f"(415) 555-{digits}", f"415-555-{digits}", f"415.555.{digits}", f"+1 212 555 {digits}",
            f"+1-212-555-{digits}", f"020 7946 {digits}", f"+44 7700 90{digits}", f"+44 (0)20 7946 {digits}",
            f"+49 30 23125 {digits}", f"030 23125-{digits}", f"0171/234{digits}",
            f"01 99 00 {digits[:2]} {digits[2:]}",
            f"+3361234{digits}", f"0491 570 {digits[:3]}", f"+41 44 668 {digits[:2]} {digits[2:]}",
        ]
    )  # fmt: skip


def iban(rand: random.Random) -> str:
    country, bank, count = rand.choice(
        [
            ("DE", "", 18),
            ("GB", "TEST", 14),
            ("NL", "TEST", 10),
            ("AT", "", 16),
            ("FR", "", 23),
            ("NO", "", 11),
        ]
    )
    body = bank + "".join(rand.choices(string.digits, k=count))
    check = 98 - int("".join(str(int(c, 36)) for c in f"{body}{country}00")) % 97
    whole = f"{country}{check:02d}{body}"
    grouped = " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
    return rand.choice([whole, grouped, whole.lower()])


def luhn(digits: str) -> str:
    total = sum(sum(divmod(int(d) * (2 - place % 2), 10)) for place, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def card(rand: random.Random) -> str:
    start, count = rand.choice(
        [("4000", 16), ("5555", 16), ("2221", 16), ("6011", 16), ("3782", 15), ("3530", 16)]
    )
    digits = luhn(start + "".join(rand.choices(string.digits, k=count - 5)))
    cuts = [0, 4, 8, 12, 16] if count == 16 else [0, 4, 10, 15]
    return rand.choice(["", " ", "-"]).join(digits[a:b] for a, b in pairwise(cuts))


def ip(rand: random.Random) -> str:
    last = f"{rand.randrange(256)}.{rand.randrange(256)}"
    return rand.choice(
        [f"84.23.{last}", f"193.99.{last}", f"2a02:8109:9f3f:{rand.randrange(1, 9999):x}::{last[:1]}1"]
    )


def key(rand: random.Random) -> str:
    def drawn(count: int, letters: str = ALNUM) -> str:
        return "".join(rand.choices(letters, k=count))

    payload = base64.urlsafe_b64encode(f'{{"sub":"{rand.randrange(10**9)}"}}'.encode()).decode().rstrip("=")
    return rand.choice(
        [
            "sk" + "-" + drawn(48), "sk" + "-ant-api03-" + drawn(40), "gh" + "p_" + drawn(36),
            "github" + "_pat_" + drawn(60), "AK" + "IA" + drawn(16, string.ascii_uppercase + string.digits),
            "AI" + "za" + drawn(35), "xox" + "b-" + drawn(12, string.digits) + "-" + drawn(24),
            "glp" + "at-" + drawn(20), "h" + "f_" + drawn(34), "sk" + "_live_" + drawn(24),
            "ey" + "JhbGciOiJIUzI1NiJ9." + payload + "." + drawn(43), "npm" + "_" + drawn(36),
        ]
    )  # fmt: skip


MADE: dict[PersonalKind, Callable[[random.Random], str]] = {
    "email": email,
    "phone": phone,
    "iban": iban,
    "card": card,
    "ip": ip,
    "key": key,
}


@pytest.mark.parametrize("kind", MADE)
def test_generated_data_of_each_kind_are_found_by_their_span(kind: PersonalKind) -> None:
    rand = random.Random(7)
    wrong = []
    for _ in range(700):
        value, sentence = MADE[kind](rand), rand.choice(SENTENCES)
        if without(sentence.replace("{}", value)) != sentence.replace("{}", f"[{kind}]"):
            wrong.append((sentence, value))
    assert len(wrong) <= 7, wrong[:5]


@pytest.mark.parametrize(
    ("text", "redacted_text"),
    [
        ("write to anna (at) nordhafen (dot) example", "write to [email]"),
        ("mailto:anna@nordhafen.example?subject=x", "mailto:[email]?subject=x"),
        ("<anna@nordhafen.example>, 'bob@tinybox.test'", "<[email]>, '[email]'"),
        ("postgresql://app:Xk93jLq2@db/shop", "postgresql://app:[key]@db/shop"),
        ("password: tR4vB9xKq2LmZ8wY", "password: [key]"),
        ('{"api_key": "9f86d081884c7d659a2feaa0c55ad015"}', '{"api_key": "[key]"}'),
        ("Authorization: Bearer Zx81kQw92LmNb37vTr45Yp", "Authorization: Bearer [key]"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\n"
            + "MIIEowIBAAKCAQEA7bq3x9Pz" * 4
            + "\n-----END RSA PRIVATE KEY-----\nbye",
            "[key]\nbye",
        ),
        ("ring me on 02079460123", "ring me on [phone]"),
        ("Tel.: 015112345678", "Tel.: [phone]"),
        ("from http://84.23.17.5:8080/x", "from http://[ip]:8080/x"),
        ("paid 20 with 4000 0000 0000 0002.", "paid 20 with [card]."),
    ],
)
def test_each_is_replaced_and_nothing_beside_it(text: str, redacted_text: str) -> None:
    assert without(text) == redacted_text
    assert without(redacted_text) == redacted_text


@pytest.mark.parametrize(
    "text",
    [
        "The remote is git@code.example:team/repo-7.git, or git@github.com:a/b.",
        "scp report.pdf deploy@web1.example:/srv/www",
        "I log in as admin@db-7; the mention @kim-7 in the chat means me.",
        "ssh://git@code.example/team/repo.git",
        "The package is @scope/tool-7@2.1.0, or actions/checkout@v4.1.2, or left-pad@1.0.0-rc.a.",
        "icon@2x.png and logo@3x.webp",
        "The result is A@B.conj() and A @ B.T, decorated by @app.route('/').",
        "Version 2.14.3.1, v10.0.19041.1, Chrome/120.0.6099.109, pkg==1.2.3.4 and foo-1.20.30.40.tar.gz",
        "The hosts are 10.0.3.4:8443, 192.168.178.2, 127.0.0.1, 169.254.0.1, 192.0.2.1, 203.0.113.9 and ::1.",
        "Networks are 84.23.0.0/16 and 2001:db8::/32; ask 8.8.8.8, 1.1.1.1 or 2001:db8::1.",
        "std::vector<int>::iterator at 12:30:45, MAC aa:bb:cc:dd:ee:ff, Cafe::Babe",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b and 3b18e512-dba7-4c8e-9d0c-2f1d6f3a5b7c",
        "key: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b, signature sha256:9f86d081884c7d659a2feaa0c55ad015",
        "primary key: 3b18e512-dba7-4c8e-9d0c-2f1d6f3a5b7c",
        "On 2024-03-17T12:30:05Z, 17.03.2024, 03/17/2024 and in 1999-2005 or 2019\u20132023.",
        "ISBN 978-0-306-40615-7, ISBN-10 0-306-40615-2, ISSN 0378-5955, doi:10.1000/0123-4567",
        "The order number is 4000 0000 0000 0003, the reference DE12 0000 0000 1234 5678 90.",
        "pi is 3.141592653589793, 2**63 is 9223372036854775808, eps 2.220446049250313e-16",
        "timestamps 1700000000, 1700000000000 and 1700000000000000000; [100000000.0, 10000000.0]",
        "array([0.25, 0.75, 1024, 2048, 4096, 8192]) of shape (100, 200, 3000)",
        "00 01 02 03 04 05 06 07 is a dump; 0x7fff5fbff8c0 an address; 0755 a mode",
        "get_feature_names_out, token_pattern=r'(?u)\\b\\w\\w+\\b', sk-top-container-fluid-label-2",
        "key=lambda x: x[1], secret_key_base = your-secret-key-goes-here-2024, password=None",
        "https://user:password@host.example/ and postgresql://$USER:$PASSWORD@db/x, {user}:{pw}@host",
        "-----BEGIN PRIVATE KEY----- is the first line of the file.",
        "public key: MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAx7",
        "Call range(1000000000, 2000000000) or text[1234567890:].",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert FIND(text) == {}


def test_a_kind_that_is_kept_is_not_looked_for() -> None:
    text = "anna@nordhafen.example paid with 4000 0000 0000 0002"
    assert list(Finder(["card"], [])(text).values()) == ["card"]
    assert Finder(["phone"], [])("020 7946 0123") == {}
    assert Finder(["phone"], ["GB"])("020 7946 0123") == {"020 7946 0123": "phone"}


def test_what_is_spared_stays() -> None:
    find = Finder(["email", "phone"], ["GB"], ["@acme.example", "020 7946 0123"])
    assert find("help@Acme.example or 020 7946 0123") == {}
    assert find("anna@notacme.example, 020 7946 0124").keys() == {"anna@notacme.example", "020 7946 0124"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "a@",
        "a.",
        "@a.",
        "1 ",
        "01 ",
        "+1 ",
        "+",
        "DE89 ",
        "a'",
        "::",
        "2a02:",
        "key: ",
        "eyJa.",
        "://a:",
        "AIza",
    ],
)
def test_no_text_makes_it_slow(piece: str) -> None:
    FIND(piece * 30_000)
    FIND("-----BEGIN PRIVATE KEY-----" + piece * 30_000)


@pytest.mark.timeout(60)
def test_a_long_list_of_addresses_takes_no_long_time() -> None:
    text = "\n".join(f"anna{number}@nordhafen.example" for number in range(4000))
    assert without(text) == "\n".join(["[email]"] * 4000)
