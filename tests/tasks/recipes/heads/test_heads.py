"""Protects a head for labels on the base model: every method trains one, and what is read was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from deploy.adapters.merging import merge_into
from deploy.errors import ThreeplyError
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.recipes.heads.headed import ADAPTER, HEAD, read_headed
from tasks.recipes.heads.metrics import label_figures
from tasks.recipes.heads.texts import last_states
from tasks.recipes.heads.training import Together, fit
from tasks.recipes.settings import ClassifySettings
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.methods.conftest import CASES, fresh, material

# One case of each method: what becomes of the variants is tested beside the methods.
ONE_EACH = {name: case for case, (name, _) in reversed(CASES.items())}.values()
SETTINGS = load_settings(ROOT / "params.yaml").classify
RUN = RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto")
DEVICE = Device(name="cpu", threads=1, precision="float32")
SMALL = {"epochs": 3, "batch_size": 4, "head_learning_rate": 0.05, "warmup": 0.0}
Trained = Callable[[str], tuple[Path, Any, dict[str, Any]]]


def batch() -> list[list[int]]:
    """Rows of different lengths; what begins with a small number is `low`."""
    drawn = torch.Generator().manual_seed(2)
    return [
        [
            int(n)
            for n in torch.randint(3 if row % 2 else 200, 99 if row % 2 else 299, (4 + row,), generator=drawn)
        ]
        for row in range(8)
    ]


LABELS = ["low" if row % 2 else "high" for row in range(8)]


def fitted(base: Path, labels: list[str], **given: Any) -> dict[str, Any]:
    """The figures of a head that was trained on the model in `base`."""
    small = SETTINGS.model_copy(update=SMALL)
    model, texts = fresh(base), material(base)
    return fit(model, labels, material=texts, settings=small, run=RUN, device=DEVICE, **given)


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """For a case of the methods the folder, the scores at the end of training, and the figures; made once."""
    made: dict[str, tuple[Path, Any, dict[str, Any]]] = {}

    def make(case: str) -> tuple[Path, Any, dict[str, Any]]:
        if case not in made:
            name, values = CASES[case]
            folder = tmp_path_factory.mktemp("heads") / case.replace(" ", "_")
            rows, kept = batch(), {}

            def reader(*parts: Any) -> Any:
                kept["states"] = last_states(*parts)
                return kept["states"]

            torch.manual_seed(0)
            figures = fitted(
                tiny_base,
                LABELS,
                reader=reader,
                batch=lambda places: [rows[place] for place in places],
                lengths=[len(row) for row in rows],
                method=METHODS[name],
                chosen=METHODS[name].settings(**{**values, "learning_rate": 0.003}),
                folder=folder,
            )
            with torch.no_grad():
                made[case] = (folder, kept["states"](rows), figures)
        return made[case]

    return make


@pytest.mark.parametrize("case", ONE_EACH)
def test_what_is_read_gives_the_states_that_were_trained(
    case: str, trained: Trained, tiny_base: Path
) -> None:
    folder, states, figures = trained(case)
    tuned = read_headed(fresh(tiny_base), folder, last_states)
    with torch.no_grad():
        torch.testing.assert_close(tuned.states(batch()), states, atol=2e-4, rtol=1e-3)
        assert not torch.allclose(last_states(fresh(tiny_base), None, None)(batch()), states, atol=1e-4)
    assert tuned.labels == ("high", "low")
    assert 0 < figures["trainable_parameters"] <= figures["total_parameters"]
    alone = [tuned.predict([[row]])[0] for row in batch()]
    assert alone == tuned.predict([batch()[:3], batch()[3:]])  # padding changes nothing


@pytest.mark.parametrize("case", ["full", "lora"])
def test_it_learns_to_tell_labels_apart(case: str, trained: Trained, tiny_base: Path) -> None:
    tuned = read_headed(fresh(tiny_base), trained(case)[0], last_states)
    right = sum(one == other for one, other in zip(tuned.predict([batch()]), LABELS, strict=True))
    assert right >= 7


def test_it_is_the_head_that_transformers_puts_there(trained: Trained, tiny_base: Path) -> None:
    folder, _, _ = trained("lora")
    model = AutoModelForSequenceClassification.from_pretrained(tiny_base, num_labels=2, pad_token_id=0)
    merge_into(model, folder / ADAPTER)
    tuned = read_headed(fresh(tiny_base), folder, last_states)
    model.score.weight.data = tuned.head.weight.data
    row = batch()[5]
    with torch.no_grad():
        found = model(input_ids=torch.tensor([row])).logits + tuned.head.bias
        torch.testing.assert_close(found, tuned.scores([row]), atol=1e-4, rtol=1e-3)


def test_a_broken_or_foreign_folder_is_told(trained: Trained, tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no head for this model can be read"):
        read_headed(fresh(tiny_base), tmp_path, last_states)
    folder, _, _ = trained("lora")
    (tmp_path / "labels.json").write_text('{"labels": ["a", "b", "c"]}', encoding="utf-8")
    (tmp_path / HEAD).write_bytes((folder / HEAD).read_bytes())
    with pytest.raises(TrainingError, match="no head for this model can be read"):
        read_headed(fresh(tiny_base), tmp_path, last_states)


def test_one_label_is_nothing_to_tell_apart(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nothing to tell apart: the only label is low"):
        fitted(
            tiny_base,
            ["low", "low"],
            reader=last_states,
            batch=lambda places: [[5] for _ in places],
            lengths=[1, 1],
            method=METHODS["lora"],
            chosen=METHODS["lora"].settings(),
            folder=tmp_path,
        )


def test_every_label_counts_alike_and_the_majority_is_that_of_training() -> None:
    gold, predicted = ["a", "a", "a", "b", "c", "c"], ["a", "b", "a", "b", "a", "d"]
    found = label_figures(gold, predicted, trained_on=["c", "c", "a"], seed=1)
    assert found["accuracy"] == 0.5
    assert found["low"] < 0.5 < found["high"]
    assert (found["majority_label"], found["majority"]) == ("c", round(2 / 6, 4))
    assert found["macro_f1"] == round((4 / 6 + 2 / 3 + 0) / 3, 4)  # of a, b, and c, which is never predicted
    assert found["confusion"]["c"] == {"a": 1, "d": 1}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method_settings": {"lora": {"rnk": 4}}}, r"method_settings\.lora\.rnk"),
        ({"method_settings": {"lorra": {}}}, "lorra"),
        ({"methods": ["lora", "lora"]}, "twice"),
    ],
)
def test_settings_of_a_method_are_checked(changed: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, ThreeplyError), match=message):
        ClassifySettings.model_validate({**SETTINGS.model_dump(), **changed})


def test_a_schedule_reaches_optimisers_that_step_together_also_behind_accelerate() -> None:
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    own = torch.optim.AdamW(one.parameters(), lr=0.1)
    together = Together(own, torch.optim.AdamW(other.parameters(), lr=0.01))
    together.load_state_dict(together.state_dict())  # as accelerate's wrapper does; then groups are copies
    schedule = torch.optim.lr_scheduler.LambdaLR(together, lambda step: 1.0 / (1 + step))
    for _ in range(3):
        together.step()
        schedule.step()
    together.step()
    assert own.param_groups[0]["lr"] == pytest.approx(0.1 / 4)
