"""`threeply label judge`: a model ranks the tuned model's answers where people have no time for it."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_text
from deploy.files import json_lines
from flows.errors import LabelError

if TYPE_CHECKING:
    from tasks.training.sampling.comparing import Judge, Judged
    from tasks.training.sampling.labelling import Answers

MOST_UNREADABLE = 0.5  # share of replies without a verdict, above which the judge is none
AT_ONCE = 16  # questions that are judged between two times that the file is written


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words of `threeply label judge`."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="the file to write, .jsonl; what it has stays"
    )
    parser.add_argument(
        "--url", required=True, help="of an OpenAI-compatible API, such as http://127.0.0.1:8000/v1"
    )
    parser.add_argument("--model", required=True, help="its model that judges")
    parser.add_argument("--key-env", metavar="NAME", help="the environment variable that holds its key")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="requests at a time (4)")


def upstream(words: argparse.Namespace, environment: Mapping[str, str]) -> "Judge":
    """The judge that the words name.

    Raises:
        LabelError: the address is none, or the key is not there.
    """
    from tasks.training.sampling.upstream import Upstream, checked_url

    key = environment.get(words.key_env, "") if words.key_env else ""
    if words.key_env and not key:
        raise LabelError(
            f"the environment variable {words.key_env} is not set; it should hold the judge's key"
        )
    if words.at_once < 1:
        raise LabelError(f"--at-once is {words.at_once}; it has to be at least 1")
    try:
        return Upstream(url=checked_url(words.url), model=words.model, key=key).reply
    except ValueError as error:
        raise LabelError(f"--url: {error}") from None


def judge_answers(answers: "Sequence[Answers]", file: Path, judge: "Judge", *, at_once: int) -> None:
    """Rank each of `answers`, and write them into `file`, with those that it has already.

    Raises:
        LabelError: the judge gives no verdicts, or `file` holds something else.
        TrainingError: the judge does not answer; what it has judged is in `file`.
    """
    from tasks.training.sampling.comparing import comparisons, judged
    from tasks.training.sampling.labelling import as_lines, judged_by_model

    known = _known(file, answers)
    left = [each for each in answers if each.id not in known]
    print(f"{len(left)} questions to judge, {comparisons(left)} requests; {len(known)} are judged already")
    said: list[Judged] = []
    with ThreadPoolExecutor(at_once) as pool:
        for start in range(0, len(left), AT_ONCE):
            part = left[start : start + AT_ONCE]
            asked = [pool.submit(judged, each, judge) for each in part]
            wait(asked)  # also where one fails: what the others said has been paid for
            for each, future in zip(part, asked, strict=True):
                if not future.exception():
                    said.append(future.result())
                    known[each.id] = judged_by_model(each, future.result().ranking)
            _require_verdicts(said)
            write_text(file, as_lines([known[each.id] for each in answers if each.id in known]))
            for future in asked:
                future.result()
            print(f"{start + len(part)} of {len(left)} questions judged", flush=True)
    if said:
        print(_told(said))
    print(f"look at {file}, and take it back: threeply label import {file}")


def _known(file: Path, answers: "Sequence[Answers]") -> dict[str, dict[str, Any]]:
    """What `file` has of these answers already, by their id."""
    from tasks.training.sampling.labelling import labelled

    if not file.exists():
        return {}
    try:
        records = json_lines(file.read_text(encoding="utf-8"))
        found, _ = labelled(records, answers)
    except (OSError, ValueError) as error:
        raise LabelError(f"{file} holds something else ({error}); name another file") from None
    return {each["id"]: each for each in found}


def _require_verdicts(said: "Sequence[Judged]") -> None:
    replies, unreadable = sum(each.replies for each in said), sum(each.unreadable for each in said)
    if unreadable > MOST_UNREADABLE * replies:
        raise LabelError(
            f"{unreadable} of {replies} replies had no verdict ([[A]], [[B]] or [[C]]): this model is no "
            "judge; name another one"
        )


def _told(said: "Sequence[Judged]") -> str:
    from tasks.training.sampling.comparing import DECIDED, SWAYED, TIED

    pairs: Counter[str] = sum((each.pairs for each in said), Counter())
    unreadable = sum(each.unreadable for each in said)
    return (
        f"{pairs.total()} pairs: {pairs[DECIDED]} decided, {pairs[TIED]} tied, {pairs[SWAYED]} judged by "
        f"their order alone, which count as ties; {unreadable} replies without a verdict"
    )
