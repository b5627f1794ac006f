"""Stage `base`: the base model and the embedder as folders of safetensors; alone it may use a network."""

from pathlib import Path

from tasks.machine.cache import cache_folder
from tasks.prepare.base.origins import Origin, resolve
from tasks.prepare.base.speaking import give_template, require_speech
from tasks.prepare.settings import BaseSettings
from tasks.rows.reports import Report, write_report


def base(prompts: Path, *, model: Path, embedder: Path, report: Path, settings: BaseSettings) -> None:
    """Write the base model and the embedder, each as a folder of safetensors and tokenizer files.

    `prompts` is the folder of the user's own templates: one of them may be the model's chat template.

    Raises:
        SourceError: the model cannot hold a conversation, or there is none.
    """
    cache = cache_folder()
    wanted = {
        model: Origin(uri=settings.model, sha256=settings.model_sha256, key="base.model"),
        embedder: Origin(uri=settings.embedder, sha256=settings.embedder_sha256, key="base.embedder"),
    }
    figures = {}
    for into, origin in wanted.items():
        facts = resolve(origin, into=into, dtype=settings.storage_dtype, cache=cache)
        figures[origin.key.removeprefix("base.")] = facts
        print(
            f"{origin.uri}: {facts['parameters'] / 1e6:.1f} million parameters, {facts['dtype']}", flush=True
        )
    give_template(model, settings.chat_template, own=prompts)
    require_speech(model)
    write_report(report, Report(stage="base", figures=figures))
