"""Drops rows that go round in circles, as a model does that finds no end, or a page that was joined twice.

The measures are Gopher's (Rae et al. 2021, arXiv:2112.11446), its thresholds are for pages of the web: they
would drop 11 % of the documents that the default run reads, where one parameter is described in the words
of another. A loop repeats far more, so the thresholds of params.yaml are higher.
"""

from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals import Text
from tasks.prepare.signals.ngrams import duplicate_lines, duplicate_ngrams, top_ngram
from tasks.prepare.signals.subject import taught
from tasks.rows.records import Row


def repetition(row: Row, settings: CleanSettings) -> Reason | None:
    """A row whose answer or text repeats itself; one of less than `repetition.min_words` words may."""
    text, limits = Text(taught(row)), settings.repetition
    if len(text.words) < limits.min_words:
        return None
    found = {
        "lines": (duplicate_lines(text.lines), limits.max_duplicate_lines),
        "runs of 5 words": (duplicate_ngrams(text.runs), limits.max_duplicate_ngrams),
        "one run of words": (top_ngram(text.runs), limits.max_top_ngram),
    }
    told = [f"{share:.2f} in {name}" for name, (share, most) in found.items() if share > most]
    return Reason("repetition", ", ".join(told)) if told else None
