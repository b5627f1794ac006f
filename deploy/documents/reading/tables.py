"""A table while it is read: which cells stand in which row, under which names."""

from dataclasses import dataclass

from deploy.documents.reading.markdown import MarkdownWriter

_WIDEST = 100  # columns or rows that one cell may span; more is nonsense, or meant to take memory


@dataclass(slots=True)
class _Cell:
    blocks: list[str]
    is_name: bool

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.blocks).split())


class Table:
    """The rows of a table, as its cells end."""

    def __init__(self) -> None:
        self.rows: list[list[_Cell]] = []
        self._down: dict[int, tuple[int, _Cell]] = {}  # by column: a cell, and the rows that it still spans
        self._nested = False

    def row(self) -> None:
        """Begin a row."""
        if self.rows:
            self._fill()
        self.rows.append([])

    def nest(self) -> None:
        """Say that there is another table in a cell."""
        self._nested = True

    def cell(self, blocks: list[str], *, is_name: bool, across: int = 1, down: int = 1) -> None:
        """Add a cell, or the same one several times where it spans columns or rows."""
        if not self.rows:
            self.row()
        self._fill()
        row, cell = self.rows[-1], _Cell(blocks, is_name)
        for _ in range(min(max(across, 1), _WIDEST)):
            if down > 1:
                self._down[len(row)] = (min(down, _WIDEST) - 1, cell)
            row.append(cell)

    def write(self, writer: MarkdownWriter) -> None:
        """Write it to `writer`: by rows, or block by block where it only places things on the page."""
        if self._nested or self._places():
            seen: set[int] = set()
            for cell in (cell for row in self.rows for cell in row):
                if id(cell) not in seen:
                    seen.add(id(cell))
                    writer.inside(cell.blocks)
            return
        heads = 0
        while heads < len(self.rows) - 1 and all(cell.is_name for cell in self.rows[heads]):
            heads += 1
        names = self._names(self.rows[:heads])
        writer.inside([_told(row, names) for row in self.rows[heads:]])

    def _places(self) -> bool:
        """Whether it is no table of data: one column, or code in a cell."""
        widest = max((len(row) for row in self.rows), default=0)
        return widest < 2 or any("```" in block for row in self.rows for c in row for block in c.blocks)

    def _names(self, heads: list[list[_Cell]]) -> list[str]:
        """The names of the columns; a column's name in two rows is both, where they differ."""
        width = max((len(row) for row in heads), default=0)
        columns = [[row[at].words for row in heads if at < len(row)] for at in range(width)]
        return [" ".join(dict.fromkeys(filter(None, column))) for column in columns]

    def _fill(self) -> None:
        """Put the cells that come down from rows above into the places that are next."""
        row = self.rows[-1]
        while len(row) in self._down:
            left, cell = self._down.pop(len(row))
            if left > 1:
                self._down[len(row)] = (left - 1, cell)
            row.append(cell)


def _told(row: list[_Cell], names: list[str]) -> str:
    """A row as a sentence: each cell once, behind the name of its column."""
    if all(cell is row[0] for cell in row):  # it stands for no column, but above the rows that follow
        return row[0].words if row else ""
    told = []
    for at, cell in enumerate(row):
        if cell.words and not (at and cell is row[at - 1]):
            name = names[at] if at < len(names) else ""
            told.append(f"{name}: {cell.words}" if name else cell.words)
    return "; ".join(told)
