"""Protects the rows that a search leaves out: the same ones for both indexes."""

import numpy as np
import pytest

from deploy.knowledge.hidden import Hidden


@pytest.mark.parametrize("ranges", [[], [(0, 1)], [(3, 9), (17, 19)], [(5, 8), (2, 6)], [(0, 19)], [(4, 4)]])
def test_positions_and_bits_name_the_same_rows(ranges: list[tuple[int, int]]) -> None:
    hidden = Hidden.of(ranges, total=19)
    expected = sorted({row for first, end in ranges for row in range(first, end)})
    assert hidden.rows.tolist() == expected
    shown = np.unpackbits(hidden.shown, bitorder="little")[:19]
    assert np.flatnonzero(shown == 0).tolist() == expected
