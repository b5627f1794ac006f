"""What training will take: from speeds that were measured here, else by stated rules."""

from dataclasses import dataclass

from tasks.advise.facts import Facts

ROW_TOKENS = 300  # of a question with its sources and answer, where no run has counted them
# Floating-point operations a second that training reaches: of a CPU core in float32, of a GPU in bfloat16.
CORE_FLOPS, GPU_FLOPS = 5e10, 1e14
OPERATIONS = 6  # for each parameter and token, forwards and backwards (Kaplan et al. 2020, arXiv:2001.08361)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many rows can be trained on in the time, how long it takes, and what that rests on."""

    rows: int
    minutes: float
    basis: str


def plan(facts: Facts, method: str, *, left: float) -> Plan:
    """As many of the rows as `left` minutes allow."""
    speed, basis = speed_of(facts, method)
    tokens = facts.row_tokens or ROW_TOKENS
    told = (
        f"{tokens:.0f} tokens a row as in the last run"
        if facts.row_tokens
        else f"{tokens:.0f} tokens a row assumed"
    )
    rows = min(facts.examples, int(60 * left * speed / tokens))
    return Plan(rows=rows, minutes=round(rows * tokens / speed / 60, 1), basis=f"{basis}; {told}")


def speed_of(facts: Facts, method: str) -> tuple[float, str]:
    """Tokens a second, and where that is known from."""
    measured = facts.methods.get(method)
    if measured is not None and measured.tokens_per_s:
        return measured.tokens_per_s, f"{measured.tokens_per_s:.0f} tokens/s measured by threeply compare"
    if facts.tokens_per_s and method == facts.measured_method:
        return facts.tokens_per_s, f"{facts.tokens_per_s:.0f} tokens/s in the last run of sft"
    rate = GPU_FLOPS if facts.machine.gpu_mib else CORE_FLOPS * facts.machine.cores
    speed = rate / (OPERATIONS * facts.parameters)
    return speed, (
        f"{speed:.3g} tokens/s by rule ({OPERATIONS} operations for each parameter and token, "
        f"{rate / 1e9:,.0f} GFLOP/s)"
    )
