"""Numbers of interleaved rounds: medians, ranges, ratios within a round, and what the issue on speed asks of them."""
import statistics

PHASES = ("prefill", "decode 1", "decode 8", "decode 32")
TYPES = ("Q8_0", "Q4_0", "Q4_K_M")
NOISE = 0.10

# Least ratio to the peer, and least share of the int8 peak, by phase and type.
PREFILL_RATIO = {"Q8_0": 4.0, "Q4_0": 2.2, "Q4_K_M": 2.5}
PREFILL_SHARE = {"Q8_0": 0.55, "Q4_0": 0.55, "Q4_K_M": 0.50}
BATCH_32_RATIO = {"Q8_0": 4.0, "Q4_0": 2.2, "Q4_K_M": 2.2}
DECODE_SHARE, BATCH_8_RATIO, BATCH_8_SHARE, BATCH_32_PEAK_SHARE, BATCH_PEAK = 0.88, 3.0, 0.75, 0.55, 0.7


def drift(before: dict, after: dict, phase: str) -> float:
    """Largest relative difference of the limits that the phase's share is taken from."""
    names = {"prefill": ("int8_gops",), "decode 1": ("read_gb_s",)}.get(phase, ("read_gb_s", "int8_gops"))
    return max(max(before[name], after[name]) / min(before[name], after[name]) - 1 for name in names)


def spread(values: list[float]) -> dict:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summary(rounds: list[dict]) -> dict:
    """Of one type and phase. A round: {"ours", "peer", "share", "noisy"}; noisy ones count only where there are no others."""
    quiet = [r for r in rounds if not r["noisy"]]
    used = quiet or rounds
    peer_share = [r["share"] * r["peer"] / r["ours"] for r in used]  # the limit of a round is ours / share
    return {"rounds": len(used), "noisy": not quiet, "ours": spread([r["ours"] for r in used]), "share": spread([r["share"] for r in used]),
            "peer": spread([r["peer"] for r in used]), "peer_share": spread(peer_share),
            "ratio": spread([r["ours"] / r["peer"] for r in used])}


def goal(kind: str, phase: str, row: dict) -> tuple[str, bool]:
    """What is asked of a row, in words, and whether its medians meet it."""
    share, ratio = row["share"]["median"], row["ratio"]["median"]
    if phase == "prefill":
        return (f">= {PREFILL_SHARE[kind]:.0%} and >= {PREFILL_RATIO[kind]:g}x", share >= PREFILL_SHARE[kind] and ratio >= PREFILL_RATIO[kind])
    if phase == "decode 1":
        least = min(1.4, DECODE_SHARE / row["peer_share"]["median"])
        return f">= {DECODE_SHARE:.0%} and >= {least:.2f}x", share >= DECODE_SHARE and ratio >= least
    if phase == "decode 8":
        return f">= {BATCH_8_SHARE:.0%} or >= {BATCH_8_RATIO:g}x", share >= BATCH_8_SHARE or ratio >= BATCH_8_RATIO
    least = BATCH_32_PEAK_SHARE / BATCH_PEAK
    return (f">= {least:.0%} (= {BATCH_32_PEAK_SHARE:.0%} of int8 peak) and >= {BATCH_32_RATIO[kind]:g}x",
            share >= least and ratio >= BATCH_32_RATIO[kind])


def rows(results: dict) -> list[dict]:
    """results: {type: {phase: [round, ...]}}, in the order of TYPES and PHASES."""
    out = []
    for kind in TYPES:
        for phase in PHASES:
            if rounds := results.get(kind, {}).get(phase):
                row = summary(rounds)
                words, met = goal(kind, phase, row)
                out.append({"type": kind, "phase": phase, **row, "goal": words, "met": met})
    return out
