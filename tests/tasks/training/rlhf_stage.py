"""The stage `rlhf` in a folder of tiny rows and models, for tests."""

import shutil
from pathlib import Path

from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.methods.note import MethodNote, write_note
from tasks.rows.records import Example, Preference
from tasks.rows.reports import Report, read_report
from tasks.rows.tables import write_table
from tasks.training.rewards.gate import write_gate
from tasks.training.rlhf import rlhf
from tasks.training.rlhf_settings import RlhfSettings
from tests.conftest import write_tiny_index
from tests.tasks.rows.made import default_asked


def example(number: int) -> Example:
    asked = f"In `svm.SVC`, what is the default of `{'C' * number}`?"
    return default_asked(f"e{number}", asked, document=None if number % 2 else "svm.SVC")


def preference(number: int) -> Preference:
    return Preference(
        id=f"p{number}",
        source="made",
        task="chat",
        prompt=example(number).prompt,
        chosen="yes",
        rejected="no" if number else "yes",
        margin=0.0,
        label="human",
        flaw="",
        evidence=(),
        quote="",
        withheld=(),
        group=f"p{number}",
    )


class Stage:
    """The inputs of the stage in one folder; `run` is one call of it."""

    def __init__(self, folder: Path, base: Path, embedder: Path, sft: Path, reward: Path) -> None:
        self.folder, self.base, self.sft = folder, base, sft
        (folder / "rewards").mkdir()
        for name, adapter in (("sft", sft), ("reward", reward)):
            shutil.copytree(adapter, folder / name)
        write_gate(folder / "reward", [])
        write_note(folder / "sft", MethodNote(method="lora", settings={}, cannot={}))
        self.inputs = (
            folder / "splits",
            base,
            embedder,
            folder / "index",
            folder / "sft",
            folder / "samples",
            folder / "reward",
            folder / "rewards",
        )
        write_tiny_index(folder / "index", embedder, {"svm.SVC": "C=1.0 : float\nA number."})
        for name, count in (("train", 40), ("validation", 6)):
            rows = [example(number) for number in range(count)]
            write_table(folder / "splits" / name / "examples.parquet", Example, rows)
        pairs = [preference(number) for number in range(10)]
        write_table(folder / "splits" / "train" / "preferences.parquet", Preference, pairs)
        write_table(folder / "samples" / "train" / "preferences.parquet", Preference, [])

    def run(self, settings: RlhfSettings) -> Report:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        rlhf(
            *self.inputs,
            adapter=self.folder / "rlhf",
            curve=self.folder / "curve.csv",
            report=self.folder / "rlhf.json",
            work=work,
            run=RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto"),
            retrieval=RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5, fusion="scores"),
            prompt=PromptSettings(template="assistant"),
            generation=GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0),
            settings=settings,
        )
        return read_report(self.folder / "rlhf.json")
