"""Protects what every method owes: it learns, and what is written, loaded and served is what was trained."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from deploy.adapters.names import CONFIG, WEIGHTS
from deploy.adapters.reading import adapter_files, read_adapter
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tasks.methods import METHODS
from tests.contents import hashes
from tests.tasks.methods.conftest import CASES, MISSING, Tuned, attached, fresh, logits, rows

IDENTITY = [
    case for case, (name, _) in CASES.items() if name in ("full", "selective", "adapter", "lora", "lora_pro")
]
PEFT = [case for case in CASES if case.split()[0] not in ("full", "selective", "pruning", "qlora", "hybrid")]
TALK = [[Message("user", "In `svm.SVC`, what is the default of `C`?")], [Message("user", "kernel?")]]


def test_every_method_has_a_case() -> None:
    assert {name for name, _ in CASES.values()} == set(METHODS) - MISSING


@pytest.mark.parametrize("case", IDENTITY)
def test_it_starts_as_the_base(case: str, tiny_base: Path) -> None:
    with torch.no_grad():
        found = logits(attached(case, tiny_base), rows())
        base = fresh(tiny_base)(input_ids=rows()).logits
    torch.testing.assert_close(found, base, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_it_learns_and_only_what_it_should(case: str, tuned: Tuned) -> None:
    adapted, _, losses = tuned(case)
    assert losses[-1] < losses[0]
    assert 0 < adapted.trainable == sum(part.numel() for part in adapted.trained().values())


@pytest.mark.parametrize("case", [case for case in CASES if "lora" in case])
def test_all_numbers_are_counted_packed_or_not(case: str, tiny_base: Path) -> None:
    adapted = attached(case, tiny_base)
    assert adapted.total == adapted.trainable + sum(part.numel() for part in fresh(tiny_base).parameters())


@pytest.mark.parametrize("case", CASES)
def test_what_is_served_is_what_was_trained(case: str, tuned: Tuned, tiny_base: Path) -> None:
    adapted, folder, _ = tuned(case)
    engine = TransformersEngine(tiny_base, {"tuned": folder})
    with torch.no_grad():
        expected = logits(adapted, rows())
        untouched = fresh(tiny_base)(input_ids=rows()).logits
    for _ in range(2):
        with engine.held("tuned") as read:
            torch.testing.assert_close(read(rows()), expected, atol=2e-4, rtol=1e-3)
        with engine.held("base") as read:
            assert torch.equal(read(rows()), untouched)
    assert not torch.allclose(expected, untouched, atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_batches_equal_single_answers(case: str, tuned: Tuned, tiny_base: Path) -> None:
    engine = TransformersEngine(tiny_base, {"tuned": tuned(case)[1]})
    sampling = Sampling(max_new_tokens=8)
    together = engine.generate(TALK, model="tuned", sampling=sampling)
    assert together == [engine.generate([talk], model="tuned", sampling=sampling)[0] for talk in TALK]


@pytest.mark.parametrize("case", CASES)
def test_equal_training_gives_equal_bytes(case: str, tuned: Tuned, tiny_base: Path, tmp_path: Path) -> None:
    adapted, folder, _ = tuned(case)
    adapted.write(tmp_path / "again")
    assert hashes(tmp_path / "again") == hashes(folder)


@pytest.mark.parametrize("case", CASES)
def test_a_bundle_copies_all_that_is_read(case: str, tuned: Tuned, tmp_path: Path) -> None:
    _, folder, _ = tuned(case)
    for file in adapter_files(folder):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / file, tmp_path / file)
    whole, copied = read_adapter(folder), read_adapter(tmp_path)
    assert copied.updates.keys() == whole.updates.keys()
    assert copied.added.keys() == whole.added.keys()
    assert (copied.virtual_tokens is None) == (whole.virtual_tokens is None)


@pytest.mark.parametrize("case", PEFT)
def test_peft_loads_it_to_the_same_numbers(case: str, tuned: Tuned, tiny_base: Path) -> None:
    from peft import PeftModel

    import tasks.methods.parts.bottleneck_tuner  # noqa: F401 (makes the type known to PEFT)

    adapted, folder, _ = tuned(case)
    loaded = PeftModel.from_pretrained(fresh(tiny_base), folder).eval()
    batch = rows()
    with torch.no_grad():
        found = loaded(input_ids=batch, attention_mask=torch.ones_like(batch)).logits[:, -batch.shape[1] :]
        torch.testing.assert_close(found, logits(adapted, batch), atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("pruning")])
def test_what_is_pruned_stays_out(case: str, tuned: Tuned, tiny_base: Path) -> None:
    _, folder, _ = tuned(case)
    base = dict(fresh(tiny_base).named_parameters())
    for name, tensor in load_file(folder / WEIGHTS).items():
        if case.startswith("pruning channels"):
            if ".mlp." in name:
                assert tensor.numel() == base[name].numel() / 2
        elif name.endswith("proj.weight"):
            assert (tensor == 0).float().mean() == pytest.approx(0.5, abs=0.02)
    assert (folder / CONFIG).is_file()
