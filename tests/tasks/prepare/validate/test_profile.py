"""Protects what is kept of a run's rows: figures that the same rows give again, and no text of theirs."""

from pathlib import Path

import pytest

from tasks.prepare.validate import profile as module
from tasks.prepare.validate.profile import made_with, profile, read_profile, sampled, spread, write_profile
from tasks.prepare.validate.tables import InMemory
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

SECRET = "jane.doe@example.org"


def test_a_profile_is_written_and_read_back_and_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    given = rows(
        *(question(f"q{n}", f"{SECRET} asks {n}") for n in range(40)),
        pairs=[pair("p")],
        documents=[document("d", SECRET)],
    )
    made = profile(InMemory(given), made_with="abc")
    write_profile(tmp_path / "a.json", made)
    write_profile(tmp_path / "b.json", profile(InMemory(given), made_with="abc"))
    assert read_profile(tmp_path / "a.json") == made
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert "jane" not in (tmp_path / "a.json").read_text()
    assert {kind: table.rows for kind, table in made.tables.items()} == {
        "example": 40,
        "preference": 1,
        "document": 1,
    }


def test_the_fingerprint_is_that_of_the_figures_whatever_made_the_rows() -> None:
    some = rows(question("q"))
    assert (
        profile(InMemory(some), made_with="a").fingerprint
        == profile(InMemory(some), made_with="b").fingerprint
    )
    assert (
        profile(InMemory(some), made_with="a").fingerprint
        != profile(InMemory(rows()), made_with="a").fingerprint
    )


def test_other_settings_are_told_apart() -> None:
    settings = cleaning(min_characters=1, max_characters=9)
    other = settings.model_copy(update={"max_characters": 8})
    assert made_with(settings) == made_with(settings.model_copy()) != made_with(other)


def test_the_same_rows_of_many_are_looked_at_in_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLED", 500)
    many = [f"q{n}" for n in range(2000)]
    first = {many[place] for place in sampled(many, len(many))}
    assert 400 < len(first) < 600
    more = [*many[:1000], "new", *many[1000:]]
    again = {more[place] for place in sampled(more, len(more))}
    assert len(first ^ again) <= 3
    found = profile(InMemory(rows(*map(question, many))), made_with="").tables["example"]
    assert found.rows == 2000
    assert sum(found.features["source"].rows.values()) == len(first)


def test_rows_that_come_in_groups_count_as_fewer_draws() -> None:
    cells = [{"a" if n % 32 < 16 else "b": 1.0} for n in range(320)]
    alone = spread(cells, [n * 7 % 16 for n in range(320)])
    together = spread(cells, [n // 16 % 16 for n in range(320)])  # each part has one cell, as a group would
    assert alone.rows == together.rows == {"a": 160.0, "b": 160.0}
    assert alone.alike["a"] == pytest.approx(0.5, abs=0.3)  # 1 - p of a binomial count
    assert together.alike["a"] > 10 * alone.alike["a"]


def test_of_many_cells_the_rare_ones_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", 3)
    found = spread([{f"task {min(n, 9)}": 1.0} for n in range(20)], [n % 16 for n in range(20)])
    assert found.rows == {"task 9": 11.0, "task 0": 1.0, "task 1": 1.0, "all others": 7.0}
    assert found.alike.keys() == found.rows.keys()
