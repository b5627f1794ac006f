"""Protects training from text that goes round in circles; lists, tables and code are no such text."""

import pytest

from tasks.prepare.clean.repetition import repetition
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question

SETTINGS = cleaning()
SENTENCE = "The value of this parameter is read once when the program starts and never again afterwards."


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["kubeadm init"] * 40),
        "no " * 40,
        f"It is one. {SENTENCE} " + f"{SENTENCE} " * 10,
        "\n\n".join([f"{SENTENCE}\nAnother line of this page."] * 6),
    ],
)
def test_a_loop_is_dropped(text: str) -> None:
    assert repetition(question("a", "Why?", text), SETTINGS)
    assert repetition(document("a", text), SETTINGS)
    assert repetition(pair("a", text, "No."), SETTINGS)


@pytest.mark.parametrize(
    "text",
    [
        "ha ha ha ha",
        "\n".join(f"{n}. `service tool number{n}`" for n in range(1, 9)),
        "\n".join(f"if (x{n}) {{\n    return y{n};\n}}" for n in range(8)),
        "\n".join(f"| {n} | {n * n} |" for n in range(20)),
        f"{SENTENCE}\n{SENTENCE}",
        "beep -f 262 [-n|--new] -f 294 [-n|--new] -f 330 [-n|--new] -f 349 [-n|--new] -f 392",
    ],
)
def test_a_list_a_table_and_code_stay(text: str) -> None:
    assert repetition(question("a", "Why?", text), SETTINGS) is None


def test_a_rejected_loop_stays_as_what_to_avoid() -> None:
    assert repetition(pair("a", "Because.", "no " * 40), SETTINGS) is None


def test_the_reason_says_what_repeats_itself_and_how_much() -> None:
    found = repetition(question("a", "Why?", "\n".join(["kubeadm init"] * 40)), SETTINGS)
    assert found is not None
    assert found.name == "repetition"
    assert "0.97 in lines" in found.detail
