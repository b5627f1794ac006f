"""Summaries in other words: what a person who does not know them would ask for."""

import random
import re
from collections.abc import Mapping

from tasks.prepare.collect.documentation.docstrings import without_asides

# What docstrings begin with, and what people say instead.
_VERBS: Mapping[str, tuple[str, ...]] = {
    "add": ("add", "put in"),
    "apply": ("apply", "run"),
    "build": ("build", "make", "construct"),
    "calculate": ("calculate", "compute", "work out", "get"),
    "check": ("check", "test", "find out"),
    "compute": ("compute", "calculate", "work out", "get"),
    "concatenate": ("concatenate", "join", "glue together"),
    "construct": ("construct", "build", "make"),
    "convert": ("convert", "turn", "change"),
    "create": ("create", "make", "build"),
    "determine": ("determine", "find out", "work out"),
    "draw": ("draw", "sample"),
    "estimate": ("estimate", "get an estimate of"),
    "evaluate": ("evaluate", "compute"),
    "extract": ("extract", "pull out", "get"),
    "fetch": ("fetch", "get", "load"),
    "fill": ("fill", "fill in"),
    "find": ("find", "get", "look for"),
    "fit": ("fit", "train"),
    "generate": ("generate", "make", "produce"),
    "get": ("get", "obtain"),
    "indicate": ("find out",),
    "integrate": ("integrate",),
    "interpolate": ("interpolate",),
    "join": ("join", "combine", "put together"),
    "load": ("load", "read", "open"),
    "make": ("make", "create"),
    "merge": ("merge", "combine"),
    "normalize": ("normalize", "scale"),
    "perform": ("perform", "do", "run"),
    "plot": ("plot", "draw"),
    "predict": ("predict",),
    "read": ("read", "load", "open"),
    "remove": ("remove", "drop", "get rid of"),
    "render": ("render", "show"),
    "replace": ("replace", "swap", "change"),
    "return": ("get", "find", "obtain"),
    "round": ("round",),
    "save": ("save", "write", "store"),
    "select": ("select", "pick", "choose"),
    "set": ("set", "change"),
    "shift": ("shift", "move"),
    "solve": ("solve",),
    "sort": ("sort", "order", "put in order"),
    "split": ("split", "divide", "cut"),
    "test": ("test", "check"),
    "transform": ("transform", "turn"),
    "write": ("write", "save", "store"),
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "elements": ("elements", "entries", "items"),
    "element-wise": ("element-wise", "for each element", "one by one"),
    "specified": ("given", "specified"),
    "along": ("along", "over"),
    "over": ("over", "along"),
    "containing": ("with", "containing"),
    "using": ("with", "using", "by"),
    "input": ("input", "given"),
    "number": ("number", "count"),
    "largest": ("largest", "biggest"),
    "smallest": ("smallest", "lowest"),
    "maximum": ("maximum", "largest value"),
    "minimum": ("minimum", "smallest value"),
    "two": ("two", "2"),
    "one": ("one", "a single"),
    "sample": ("sample", "draw"),
    "estimator": ("estimator", "model"),
    "equivalent": ("equal", "equivalent"),
    "specific": ("certain", "specific"),
    "contiguous": ("contiguous", "gapless"),
    "indices": ("indices", "positions"),
    "index": ("index", "position"),
    "values": ("values", "numbers"),
    "whether": ("whether", "if"),
}
_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
_THE = re.compile(r"\b(?:the|a|an) ")


def doing(summary: str, draw: random.Random) -> str:
    """What a summary in the imperative says to do, worded anew; empty where it is none.

    `Compute the sum of array elements over a given axis.` gives `work out sum of array entries along a
    given axis`.
    """
    text = without_asides(summary).strip().rstrip(".")
    verb, _, rest = text.partition(" ")
    said = _VERBS.get(verb.lower()) or _VERBS.get(verb.lower().removesuffix("s"))
    if said is None or not rest or len(rest.split()) < 2:
        return ""
    rest = _WORD.sub(lambda match: _other(match[0], draw), rest)
    if draw.random() < 0.3:
        rest = _THE.sub("", rest)
    return f"{draw.choice(said)} {rest}"


def _other(word: str, draw: random.Random) -> str:
    return draw.choice(_WORDS[word]) if word in _WORDS else word
