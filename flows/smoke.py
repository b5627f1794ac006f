"""Asks a bundle one question of each model: `python -m flows.smoke BUNDLE`; prints what it said last."""

import sys
from pathlib import Path

from deploy.errors import ThreeplyError
from deploy.messages import Message

QUESTION = "What can you tell me from your documentation?"
WORDS = 8  # tokens; enough to see that it speaks


def main(bundle: Path) -> int:
    """Load everything that a server loads and answer with every layer on; 0 if each model said something."""
    from deploy.assistant import Layers
    from deploy.bundle import load_bundle
    from deploy.engines.engine import Sampling

    try:
        assistant = load_bundle(bundle)
        for model in assistant.models:
            answer = assistant.answer(
                [[Message("user", QUESTION)]],
                model=model,
                layers=Layers(),
                sampling=Sampling(max_new_tokens=WORDS, temperature=0.0, top_p=1.0),
            )[0]
            if not answer.text.strip():
                print(f"error: the model {model} says nothing", file=sys.stderr)
                return 1
    except ThreeplyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"all of {', '.join(assistant.models)} answer; {model}: {' '.join(answer.text.split())}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
