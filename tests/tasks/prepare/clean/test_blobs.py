"""Protects training and search from bytes and logs, and keys, sums and code from being taken for such."""

import base64
import random
import textwrap

import pytest

from tasks.prepare.clean.blobs import blob
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, question

SETTINGS = cleaning()
NOISE = random.Random(0).randbytes(900)
B64 = base64.b64encode(NOISE).decode()
LOG = "\n".join(f"2024-05-03 12:00:{second:02} worker[{second}]: step done" for second in range(40))
CODE = "\n".join(
    f"def a_rather_long_function_name_{n}(self): return self.another_long_name" for n in range(40)
)
PATHS = "\n".join(f"/usr/share/documentation/packages/version/{n}/index" for n in range(40))


@pytest.mark.parametrize(
    "text",
    [
        B64,
        textwrap.fill(B64, 64),
        f"-----BEGIN FILE-----\n{textwrap.fill(B64, 76)}\n-----END FILE-----",
        NOISE.hex(),
        NOISE[:200].hex(" "),
        ", ".join(f"0x{byte:02x}" for byte in NOISE[:200]) + ", ",
        f"![x](data:image/png;base64,{B64})",
        LOG,
        LOG.replace("2024-05-03 12:00", "12:00"),
    ],
)
def test_bytes_and_logs_are_dropped(text: str) -> None:
    assert blob(question("a", "Why?", text), SETTINGS)
    assert blob(document("a", text), SETTINGS)


@pytest.mark.parametrize(
    "text",
    [
        f"Its SHA-512 is `{NOISE[:64].hex()}`.",
        f"Such a file begins so: {B64[:200]}",
        f"{B64[:300]}\n\n{'This is what the file looks like, and here is what it means. ' * 8}",
        "\n".join(LOG.split("\n")[:5]),
        f"{LOG}\n\n{'This is what the log looks like, and here is what each part of it means. ' * 40}",
        CODE,
        PATHS,
        "\u6c34" * 500,
        " ".join(str(n) for n in range(500)),
    ],
)
def test_text_with_some_of_either_stays(text: str) -> None:
    assert blob(question("a", "Why?", text), SETTINGS) is None


def test_who_asks_about_a_log_may_show_it() -> None:
    assert blob(question("a", f"What is wrong here?\n{LOG}", "Nothing."), SETTINGS) is None
