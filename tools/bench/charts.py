"""Charts as SVG, without a library: panels of bar pairs with the limit of the same round as a line."""
from html import escape

import stats

OURS, PEER, INK, FAINT = "#2563a8", "#b9c4d0", "#1f2933", "#7b8794"
TITLES = {"prefill": "Prefill of 512", "decode 1": "Decode, one sequence", "decode 8": "Decode, 8 sequences", "decode 32": "Decode, 32 sequences"}
PANEL_W, PANEL_H, LEFT, TOP, GAP = 250, 170, 20, 70, 24


def text(x: float, y: float, words: str, size: int = 11, colour: str = INK, anchor: str = "middle", weight: str = "normal") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}">'
            f"{escape(words)}</text>")


def bar(x: float, base: float, width: float, height: float, colour: str, value: float) -> str:
    return (f'<rect x="{x:.1f}" y="{base - height:.1f}" width="{width}" height="{height:.1f}" fill="{colour}"/>'
            + text(x + width / 2, base - height - 4, f"{value:.0f}", 10))


def limit_of(row: dict) -> float:
    return row["ours"]["median"] / row["share"]["median"]


def panel(x: float, y: float, phase: str, rows: list[dict]) -> str:
    out = [text(x + PANEL_W / 2, y, TITLES[phase], 13, weight="bold")]
    base, height = y + PANEL_H - 18, PANEL_H - 50
    top = max(max(limit_of(row), row["ours"]["median"], row["peer"]["median"]) for row in rows)
    step = PANEL_W / len(rows)
    for i, row in enumerate(rows):
        middle = x + step * (i + 0.5)
        scale = height / top
        out.append(bar(middle - 31, base, 28, row["ours"]["median"] * scale, OURS, row["ours"]["median"]))
        out.append(bar(middle + 3, base, 28, row["peer"]["median"] * scale, PEER, row["peer"]["median"]))
        line = base - limit_of(row) * scale
        out.append(f'<path d="M{middle - 36:.1f} {line:.1f}h72" stroke="{INK}" stroke-width="1.5" stroke-dasharray="4 3"/>')
        out.append(text(middle, base + 14, f"{row['type']}  {row['ratio']['median']:.2f}x", 11))
    out.append(f'<path d="M{x} {base}h{PANEL_W}" stroke="{FAINT}" stroke-width="1"/>')
    return "".join(out)


def legend(x: float, y: float) -> str:
    return (f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{OURS}"/>' + text(x + 15, y, "TeeTee", anchor="start")
            + f'<rect x="{x + 75}" y="{y - 9}" width="10" height="10" fill="{PEER}"/>' + text(x + 90, y, "llama.cpp", anchor="start")
            + f'<path d="M{x + 160} {y - 4}h20" stroke="{INK}" stroke-width="1.5" stroke-dasharray="4 3"/>'
            + text(x + 186, y, "limit of the machine in the same rounds", anchor="start"))


def peers(about: dict, rows: list[dict]) -> str:
    phases = [phase for phase in stats.PHASES if any(row["phase"] == phase for row in rows)]
    width = LEFT * 2 + PANEL_W * 2 + GAP
    height = TOP + (len(phases) + 1) // 2 * (PANEL_H + GAP) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
           ' font-family="system-ui, sans-serif" role="img">', f"<title>{escape('TeeTee and llama.cpp, tokens per second')}</title>",
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           text(LEFT, 22, "Tokens per second, TinyLlama-1.1B shape, medians of interleaved rounds", 14, anchor="start", weight="bold"),
           text(LEFT, 40, f"{about['cpu']}, {about['threads']} threads, {about['machine']['isa']}; {about['date']}", 11, FAINT, "start"),
           legend(LEFT, 58)]
    for i, phase in enumerate(phases):
        at = (LEFT + i % 2 * (PANEL_W + GAP), TOP + 16 + i // 2 * (PANEL_H + GAP))
        out.append(panel(*at, phase, [row for row in rows if row["phase"] == phase]))
    return "".join(out) + "</svg>\n"
