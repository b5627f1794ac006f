"""How much of what a stage trains on may be lost to the longest length that it reads."""

from tasks.errors import TrainingError


def require_few_cut(section: str, said: str, *, cut: int, whole: int, limit: float, max_length: int) -> None:
    """Check that at most the share `limit` of `whole` rows is cut, or left out for its length.

    `section` is that of the settings, `said` what becomes of longer rows: "rows 3 are truncated at".

    Raises:
        TrainingError: there are more; what is left would be another task.
    """
    if cut > limit * whole:
        raise TrainingError(
            f"of {whole} {said} {section}.max_length: {max_length}; raise it, shorten the sources "
            f"(index.chunk_words, retrieval.top_k), or allow it ({section}.max_cut is {limit:g})"
        )
