"""The arrays of a search, by what their numbers are."""

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Scores = NDArray[np.float32]
Positions = NDArray[np.int64]
