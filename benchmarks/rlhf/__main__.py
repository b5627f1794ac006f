"""PPO of this project beside that of TRL 1.12.0, the last release that had it, on the models of the last run.

    python -m benchmarks.rlhf [--rounds 2] [--updates 4] [--prompts 4]
    python -m benchmarks.rlhf --toy [--updates 40] [--prompts 8]

Both have the same policy, reward model, prompts, four responses to each, layers that learn and settings, in
float32. They take turns, each in a process of its own, TRL in an environment of its own (build/trl, made by
pip); the first update is not counted. An update of TRL takes minutes on two cores. Prints each run as it
ends, and a table; the last line is one JSON object, `ratio_trl` in it.

With --toy both learn a task from nothing, a random model of two layers that is paid for one word; the exit
status is 1 where ours does not learn it. That needs no run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.places import DATA, assistant_of, lora_of
from benchmarks.rlhf import toy
from deploy.errors import ThreeplyError
from tasks.machine.process import cores, environment
from tasks.settings import Settings, load_settings

PLACE, PLAIN = Path("build/rlhf"), Path("build/trl")
WANTED = ("trl==1.12.0", "torch", "transformers", "peft", "datasets", "accelerate")
THEIRS = Path(__file__).with_name("theirs.py")


def main() -> int:
    """Measure both in turn, `rounds` times; exit 1 if a model is missing or a run fails."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.rlhf", description=__doc__)
    words.add_argument("--toy", action="store_true", help="a task that is learned from nothing")
    words.add_argument("--rounds", type=int, help="(2; of the toy 1)")
    words.add_argument("--updates", type=int, help="of a run, the first not counted (4; of the toy 40)")
    words.add_argument("--prompts", type=int, help="of an update (4; of the toy 8)")
    given = words.parse_args()
    rounds, updates, prompts = (
        usual if wanted is None else wanted
        for wanted, usual in zip(
            (given.rounds, given.updates, given.prompts), (1, 40, 8) if given.toy else (2, 4, 4), strict=True
        )
    )
    try:
        PLACE.mkdir(parents=True, exist_ok=True)
        if given.toy:
            job = toy.prepared(PLACE / "toy", updates=updates, prompts=prompts, threads=cores())
        else:
            job = prepared(load_settings(Path("params.yaml")), updates=updates, prompts=prompts)
        python = installed()
        found: dict[str, list[dict[str, Any]]] = {"ours": [], "TRL": []}
        for _ in range(rounds):
            found["ours"].append(_run([sys.executable, "-m", "benchmarks.rlhf.ours"], job))
            found["TRL"].append(_run([str(python), str(THEIRS)], job))
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    for name, runs in found.items():
        speeds = "  ".join(f"{each['samples_per_s']:.3f}" for each in runs)
        print(f"{name:<5} responses a second {speeds}   reward of each update {_rewards(runs[0])}")
    ratios = [
        ours["samples_per_s"] / theirs["samples_per_s"]
        for ours, theirs in zip(found["ours"], found["TRL"], strict=True)
    ]
    result: dict[str, Any] = {"ratio_trl": round(statistics.median(ratios), 2), **found}
    if given.toy:
        last = {name: statistics.fmean(runs[-1]["rewards"][-5:]) for name, runs in found.items()}
        result["reached"] = {name: reward >= toy.REACHED for name, reward in last.items()}
        for name, reward in last.items():
            told = "reached" if result["reached"][name] else "not reached"
            print(f"{name:<5} {reward:.2f} over the last 5 updates; {toy.REACHED:g} is {told}")
    print(json.dumps(result))
    return 0 if result.get("reached", {"ours": True})["ours"] else 1


def _rewards(run: Mapping[str, Any]) -> str:
    """The rewards of a run, ten of them at most, evenly over it."""
    rewards: list[float] = run["rewards"]
    step = max(1, len(rewards) // 10)
    return " ".join(f"{value:.2f}" for value in rewards[::step])


def prepared(settings: Settings, *, updates: int, prompts: int) -> Path:
    """What both are to do, as a file, with the models in the forms that they read.

    Raises:
        ThreeplyError: there is no fine-tuned model or no reward model.
    """
    from deploy.engines.chat import end_of_turn, load_tokenizer
    from tasks.rows.records import Example
    from tasks.rows.tables import read_table
    from tasks.training.reinforcement.prompts import choose_prompts

    base, sft, reward = (DATA / "models" / name for name in ("base", "sft", "reward"))
    for adapter in (sft, reward):
        if not (adapter / "adapter_model.safetensors").is_file():
            raise ThreeplyError(f"{adapter} holds no adapter; threeply run --until reward makes it")
    tokenizer = load_tokenizer(base)
    rlhf, responses, lora = settings.rlhf, 4, lora_of(settings)
    assistant = assistant_of(DATA, settings)
    examples = read_table(DATA / "splits" / "train" / "examples.parquet", Example)
    chosen, _ = choose_prompts(
        examples,
        2 * updates * prompts,
        assistant,
        tokenizer,
        longest=rlhf.max_length - rlhf.max_new_tokens,
        seed=settings.run.seed,
    )
    asked = [list(row.tokens) for row in chosen.rows[: updates * prompts] for _ in range(responses)]
    layers = _written(base, sft, reward)
    end = end_of_turn(tokenizer)
    job = {
        "base": str(base),
        "sft": str(sft),
        "reward_adapter": str(reward),
        "policy": str(PLACE / "policy"),
        "reward": str(PLACE / "reward"),
        "work": str(PLACE / "work"),
        "prompts": asked,
        "responses": responses,
        "updates": updates,
        "rows": prompts,
        "end": end,
        "pad": next(token for token in range(2) if token != end),
        "threads": cores(),
        "trained_layers": rlhf.trained_layers,
        "mini_batches": 2,
        "epochs": 1,
        "learning_rate": 1e-4,
        "temperature": 1.0,
        "kl_coefficient": 0.05,
        "missing_end_penalty": 1.0,
        "max_new_tokens": rlhf.max_new_tokens,
        "lora": {
            "r": lora.rank,
            "lora_alpha": lora.alpha,
            "target_modules": sorted(json.loads((sft / "adapter_config.json").read_text())["target_modules"]),
            "layers_to_transform": list(range(layers))[-rlhf.trained_layers :],
            "task_type": "CAUSAL_LM",
        },
    }
    path = PLACE / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def installed() -> Path:
    """The Python of the environment with TRL 1.12.0, made where it is missing.

    Raises:
        ThreeplyError: pip could not install it.
    """
    python = PLAIN / "bin" / "python"
    if not (PLAIN / ".ready").is_file():
        print(f"installing {WANTED[0]} into {PLAIN}: some minutes", flush=True)
        venv.create(PLAIN, with_pip=True, clear=True)
        import torch
        import transformers

        known: Mapping[str, str] = {
            "torch": torch.__version__.split("+")[0],
            "transformers": transformers.__version__,
        }
        wanted = [f"{name}=={known[name]}" if name in known else name for name in WANTED]
        if subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=False).returncode:
            raise ThreeplyError("pip could not install it; what it said stands above")
        (PLAIN / ".ready").touch()
    return python.absolute()


def _written(base: Path, sft: Path, reward: Path) -> int:
    """Write policy and reward model as whole models in float32; how many layers they have."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from deploy.adapters.merging import merge_into
    from tasks.machine.device import Device
    from tasks.training.rewards.model import load_reward_model

    policy = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    merge_into(policy, sft)
    policy.save_pretrained(PLACE / "policy")
    AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(PLACE / "policy")
    device = Device(name="cpu", threads=cores(), precision="float32", attn_implementation="auto")
    load_reward_model(base, reward, device).merge_and_unload().save_pretrained(PLACE / "reward")
    return int(policy.config.num_hidden_layers)


def _run(command: list[str], job: Path) -> dict[str, Any]:
    done = subprocess.run(
        [*command, str(job)],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **environment("auto")},
    )
    if done.returncode:
        raise ThreeplyError(f"{' '.join(command)} ended with {done.returncode}; what it said stands above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{' '.join(command)}: {found['samples_per_s']:.3f} responses a second", flush=True)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
