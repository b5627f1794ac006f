"""Protects where soft prompts start: a prefix as tokens that were read, an embedding as a common token."""

from pathlib import Path

import pytest
import torch

from tests.tasks.methods.conftest import attached, final, fresh, material, rows


@pytest.mark.parametrize(("case", "columns"), [("prefix", 5), ("p_tuning_v2", 5)])
def test_a_prefix_starts_as_if_the_model_had_read_the_first_tokens(
    case: str, columns: int, tiny_base: Path
) -> None:
    read = torch.tensor(material(tiny_base).rows[0][:columns]).expand(len(rows()), -1)
    with torch.no_grad():
        whole = fresh(tiny_base).get_decoder()(input_ids=torch.cat([read, rows()], dim=1)).last_hidden_state
        behind = final(attached(case, tiny_base), rows())
    torch.testing.assert_close(behind, whole[:, columns:], atol=2e-4, rtol=1e-3)


def test_a_soft_prompt_starts_from_tokens_of_the_rows(tiny_base: Path) -> None:
    adapted = attached("prompt", tiny_base)
    words = fresh(tiny_base).get_input_embeddings().weight
    seen = words[sorted({token for row in material(tiny_base).rows for token in row})]
    for embedding in adapted.trained()["virtual_tokens.weight"]:
        assert (seen == embedding).all(dim=1).any()
