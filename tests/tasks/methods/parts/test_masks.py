"""Protects pruning by activations: each matrix is measured behind those pruned before it."""

from pathlib import Path

import torch

from tasks.methods.parts.masks import input_norms, prune_wanda
from tasks.methods.parts.targets import linear_modules
from tests.tasks.methods.conftest import fresh, material


def test_wanda_measures_behind_what_is_pruned(tiny_base: Path) -> None:
    found = material(tiny_base).rows
    model, again = fresh(tiny_base), fresh(tiny_base)
    masks = prune_wanda(model, linear_modules(model), 0.5, found)
    modules = linear_modules(again)
    for name, module in modules.items():  # in the order in which rows reach them
        norm = input_norms(again, {name: module}, found)[name]
        order = (module.weight.abs() * norm).argsort(dim=1)
        mask = torch.ones_like(module.weight, dtype=torch.bool)
        mask.scatter_(1, order[:, : module.in_features // 2], value=False)
        assert torch.equal(masks[name], mask), name
        module.weight.data.mul_(mask)


def test_padding_counts_for_nothing(tiny_base: Path) -> None:
    model, found = fresh(tiny_base), material(tiny_base).rows
    modules = linear_modules(model)
    together = input_norms(model, modules, found)
    alone = [input_norms(model, modules, [row]) for row in found]
    assert len({len(row) for row in found}) > 1
    for name, norm in together.items():
        parts = torch.stack([each[name] for each in alone])
        torch.testing.assert_close(norm, torch.linalg.vector_norm(parts, dim=0))
