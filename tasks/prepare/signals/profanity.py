"""How many words of a text are obscene, insulting or slurs: a signal, not a verdict.

A list knows no meaning: who quotes an insult, or asks what it means, uses the word as well, and much that is
hateful needs none. Words that are also something else (a tool, an animal, a first name) are not in it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

# With their endings; each letter may be repeated. English first, then German, French, Spanish, Italian.
_WORDS = (
    "(?:mother|cluster|mind)?(?:fuck|fuk|phuck)(?:s|ed|ers?|ing?|ings|face|heads?|tards?|wits?|up|off)?",
    "(?:bull|dip|horse|bat|dog)?shit(?:s|e|ty|ter|ting|head|heads|hole|holes|bag|bags|show|storm)?",
    "(?:ass|arse)(?:hole|holes|wipe|hat|hats)", "(?:dumb|jack|smart|fat|bad|lazy)ass(?:es)?",
    "(?:son ?of ?a ?)?bitch(?:es|y|ing|ed)?", "bastards?", "cunts?", "(?:dick|cock|knob|shit)heads?",
    "cocksuck(?:er|ers|ing)", "wank(?:er|ers|ing)", "twats?", "bollocks", "slut(?:s|ty)?",
    "whor(?:e|es|ing)", "douche(?:bag|bags|s)?", "piss(?:ed)?off", "crap(?:py|s)?",
    "cum(?:shot|shots|slut)", "blowjobs?", "gangbangs?", "nigg(?:er|ers|a|as|az)", "fag+ot(?:s|ry)?",
    "kikes?", "wetbacks?", "(?:rag|towel)heads?", "trann(?:y|ies)", "(?:re|lib)tard(?:s|ed)?", "spics?",
    "gooks?", "beaners?", "schei(?:ss|\u00df)(?:e|er|en|egal|kerl)?", "arschl(?:o|\u00f6)cher?n?",
    "arschloch", "hurens(?:o|\u00f6)hne?", "fotzen?", "wichsern?", "schlampen?", "wixxer", "putains?",
    "merdes?", "salo(?:pe|pes|pard)", "connards?", "encul(?:e|\u00e9)s?", "mierda", "gilipollas",
    "cabr(?:o|\u00f3)n(?:es)?", "pendejos?", "hij(?:o|os) ?de ?puta", "putas?", "co\u00f1o",
    "cazz(?:o|i)", "stronz(?:o|i|a|e)", "vaffanculo", "puttan(?:a|e)",
)  # fmt: skip
_PROFANE = re.compile("|".join(re.sub(r"([^\W\d_])(?![+?])", r"\1+", word) for word in _WORDS))
# Where several letters are hidden: `f**k`, `s**t`; of one that is, a vowel is guessed.
_MASKED = re.compile(
    r"(?:mother|bull)?(?:f\*\*k|f\*{3}|s\*\*t|sh\*\*|b\*{2,3}h|c\*\*t|a\*{2}hole|n\*{4}r)(?:ed|ers?|ing?|ty|e?s)?"
)
_FOR_LETTERS = str.maketrans("013457@$!|\u00a2\u20ac+", "oieastasiicet")
_MOST = 2**16  # words that are remembered


def profanities(words: Sequence[str]) -> int:
    """How many of the words, which are in lower case, are profane; letters by themselves make up one."""
    found = sum(map(profane, words))
    spelled: list[str] = []
    for word in (*words, ""):
        if len(letter := word.strip(".,;:!?\"'")) == 1:
            spelled.append(letter)
        elif spelled:
            found += len(spelled) > 3 and profane("".join(spelled))
            spelled = []
    return found


@lru_cache(_MOST)
def profane(word: str) -> bool:
    """Whether a word is, whatever signs stand in it for letters, between them or around it."""
    bare = word.strip(".,;:?\"'()[]{}\u201c\u201d\u2019\u2018`~\u2026")
    if bare.isalpha():
        return bool(_PROFANE.fullmatch(bare))
    if "*" in bare or "#" in bare:
        masked = bare.replace("#", "*")
        guessed = (masked.replace("*", vowel) for vowel in "aeiou" if masked.count("*") == 1)
        return bool(_MASKED.fullmatch(masked) or any(map(_PROFANE.fullmatch, guessed)))
    letters = [part.rstrip("!").translate(_FOR_LETTERS) for part in re.split(r"[-_/.,:;]", bare.lstrip("$"))]
    joined = "".join(letters)
    return any(map(_PROFANE.fullmatch, (*letters, joined) if len(joined) < 40 else letters))
