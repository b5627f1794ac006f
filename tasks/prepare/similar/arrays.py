"""Arrays by name: in memory, where a dictionary will do, or in a folder, for more than memory holds."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import replacing
from tasks.rows.places import by_shard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAPPED = 1 << 20  # bytes from which a file is mapped into memory instead of read


class ArrayFolder(MutableMapping[str, Any]):
    """A file NAME.npy for each array, which is there whole or not at all, and is never unpickled."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Any:
        import numpy as np

        path = self._path(name)
        try:
            mapped = path.stat().st_size >= _MAPPED
            return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        except FileNotFoundError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, array: Any) -> None:
        import numpy as np

        with replacing(self._path(name)) as partial, partial.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    def __delitem__(self, name: str) -> None:
        self._path(name).unlink()

    def __contains__(self, name: object) -> bool:
        return self._path(str(name)).exists()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._folder.glob("[!.]*.npy")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.npy"


class Stacked:
    """Arrays of as many rows as `sizes` say, taken as one: a row's place counts through all of them.

    Each is opened while it is read from, so that neither memory nor open files grow with their number.
    """

    def __init__(self, arrays: Mapping[str, Any], names: Sequence[str], sizes: Sequence[int]) -> None:
        self._arrays, self._names, self.sizes = arrays, names, sizes

    def rows(self, places: "NDArray[np.int64]") -> Any:
        """The rows at ascending places."""
        import numpy as np

        return np.concatenate(
            [self._arrays[self._names[number]][some] for number, some in by_shard(places, self.sizes)]
        )

    def column(self, number: int) -> Any:
        """A column of all rows."""
        import numpy as np

        return np.concatenate([self._arrays[name][:, number] for name in self._names])
