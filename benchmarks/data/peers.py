"""datatrove on records that `benchmarks.data` has made; runs under an interpreter that has it.

    python peers.py FOLDER MODEL BOUNDS FILTER...

FOLDER has made.jsonl; MODEL is a file of fastText that tells languages; BOUNDS are the shortest and the
longest text and the least chance of its language, as JSON. FILTER are `length`, `fix` (ftfy), `language`,
`personal` (e-mail and IP addresses), `exact` and `near` (MinHash), in the order of its examples: filters
first, then duplicates. Otherwise its own settings hold. The last line is one JSON object: processor seconds
of each part, and which records were left.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Nothing is fetched: the model is copied from where it lies into a cache of this run.
os.environ["HF_HUB_OFFLINE"] = "1"


def run(folder: Path, model: str, bounds: list[float], filters: list[str]) -> dict[str, float]:
    """Processor seconds of each part; the records that are left lie in the folder `left`."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import exact_dedup, minhash
    from datatrove.pipeline.filters import LambdaFilter, LanguageFilter
    from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers import JsonlWriter
    from datatrove.utils.lid import FT176LID

    FT176LID.MODEL_URL = model
    shortest, longest, least = bounds
    work = folder / "work"
    spent: dict[str, float] = {}

    def ran(part: str, *pipeline: Any, tasks: int = 1) -> None:
        began, logs = processor_seconds(), str(work / "logs" / str(len(list(work.glob("logs/*")))))
        LocalPipelineExecutor(
            list(pipeline), tasks=tasks, workers=1, logging_dir=logs, skip_completed=False
        ).run()
        spent[part] = spent.get(part, 0.0) + processor_seconds() - began

    def reader(path: Path) -> Any:
        return JsonlReader(str(path), glob_pattern="*.jsonl*")

    def writer(path: Path) -> Any:
        return JsonlWriter(str(path), output_filename="${rank}.jsonl", compression=None)

    makers: dict[str, Callable[[], Any]] = {
        "fix": FTFYFormatter,
        "length": lambda: LambdaFilter(lambda document: shortest <= len(document.text) <= longest),
        "language": lambda: LanguageFilter("en", language_threshold=least),
        "personal": PIIFormatter,
    }
    current = folder / "records"
    ran(
        "filters",
        reader(current),
        *(makers[name]() for name in filters if name in makers),
        writer(work / "1"),
    )
    current = work / "1"
    if "exact" in filters:

        def content(document: Any) -> str:  # how it is hashed follows from this type
            return str(document.text)

        config = exact_dedup.ExactDedupConfig(content_getter=content)
        sums, found = str(work / "sums"), str(work / "found")
        ran("exact", reader(current), exact_dedup.ExactDedupSignature(sums, config))
        ran("exact", exact_dedup.ExactFindDedups(sums, found, config=config))
        ran("exact", reader(current), exact_dedup.ExactDedupFilter(found, config=config), writer(work / "2"))
        current = work / "2"
    if "near" in filters:
        hashes, buckets, remove = (str(work / name) for name in ("hashes", "buckets", "remove"))
        config = minhash.MinhashConfig()
        ran("near", reader(current), minhash.MinhashDedupSignature(hashes, config))
        # One task a bucket, as it asks for; one after the other in this process.
        ran("near", minhash.MinhashDedupBuckets(hashes, buckets, config=config), tasks=config.num_buckets)
        ran("near", minhash.MinhashDedupCluster(buckets, remove, config=config))
        ran("near", reader(current), minhash.MinhashDedupFilter(remove), writer(work / "3"))
        current = work / "3"
    current.rename(folder / "left")
    return spent


def processor_seconds() -> float:
    """What this process and its ended children have used."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> int:
    """Run it, and tell what it took."""
    folder, model, bounds, filters = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]), sys.argv[4:]
    os.environ["HF_ASSETS_CACHE"] = str(folder / "cache")
    from loguru import logger

    logger.remove()
    parts = run(folder, model, bounds, filters)
    left = [
        json.loads(line)["id"]
        for path in sorted((folder / "left").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    print(json.dumps({"parts": parts, "left": left}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
