"""Pictures with their labels, from folders or from scikit-learn's digits, in the size that a model reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import SourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pixels in -1..1, [pictures, channels, height, width], the label of each, and files that are none."""

    pixels: "Pixels"
    labels: tuple[str, ...]
    unreadable: int = 0


def digits(wanted: Sequence[int], *, size: int, channels: int) -> Pictures:
    """scikit-learn's 8 x 8 pictures of the digits `wanted`, enlarged to `size` by repeating their points."""
    import numpy as np
    from sklearn.datasets import load_digits

    found = load_digits()
    chosen = np.isin(found.target, list(wanted))
    pixels = (found.images[chosen] / 8.0 - 1.0).astype(np.float32)
    places = np.arange(size) * 8 // size
    pixels = pixels[:, places][:, :, places]
    return Pictures(
        pixels=np.repeat(pixels[:, None], channels, axis=1),
        labels=tuple(str(digit) for digit in found.target[chosen]),
    )


def folder_pictures(folder: Path, *, size: int, channels: int) -> Pictures:
    """The pictures in the folders below `folder`, whose names are the labels; what is no picture is counted.

    Raises:
        SourceError: the folder is missing, or holds no folders with pictures.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    if not folder.is_dir():
        raise SourceError(f"{folder} is not there; put one folder for each label into it (images.folder)")
    pixels: list[Pixels] = []
    labels: list[str] = []
    unreadable = 0
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() not in SUFFIXES:
            unreadable += 1
            continue
        try:
            with Image.open(path) as image:
                plain = image.convert("L" if channels == 1 else "RGB").resize((size, size))
                points = np.asarray(plain, dtype=np.float32) / 127.5 - 1.0
        except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
            unreadable += 1
            continue
        pixels.append(points[None] if channels == 1 else points.transpose(2, 0, 1))
        labels.append(path.parent.name)
    if not pixels:
        raise SourceError(
            f"{folder} holds no pictures ({', '.join(SUFFIXES)}) in folders named by their label; "
            f"{unreadable} files could not be read"
        )
    return Pictures(pixels=np.stack(pixels), labels=tuple(labels), unreadable=unreadable)
