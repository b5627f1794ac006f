"""Protects the draw of rows: shares stay, and the same seed draws the same rows."""

from tasks.rows.sampling import stratified

ROWS = ["a"] * 60 + ["b"] * 30 + ["c"] * 10


def test_strata_keep_their_shares() -> None:
    drawn = stratified(ROWS, 20, key=str, seed=1)
    assert [drawn.count(name) for name in "abc"] == [12, 6, 2]


def test_the_count_is_exact_where_shares_are_not_whole() -> None:
    for count in range(1, 100):
        assert len(stratified(ROWS, count, key=str, seed=1)) == count


def test_the_same_seed_draws_the_same_rows() -> None:
    rows = list(range(100))
    assert stratified(rows, 10, key=lambda _: "", seed=3) == stratified(rows, 10, key=lambda _: "", seed=3)
    assert stratified(rows, 10, key=lambda _: "", seed=3) != stratified(rows, 10, key=lambda _: "", seed=4)


def test_few_rows_are_all_taken() -> None:
    assert stratified(ROWS, 500, key=str, seed=1) == ROWS
