"""A stream of 60 weeks in which only inspected declarations teach, and fraud moves in the middle.

    python -m riskmodel.stream --data DIR
    python -m riskmodel.stream --data DIR --seed 2 --weekly stream.jsonl --plot stream.svg

The declarations of all CSV files of DIR, in order of time. The first four weeks are known to all; then each week 5 % are
inspected, and models learn from these alone. Fraud moves after week 30: HS chapters are split in two halves by a seeded draw;
until then only the frauds of the one half count as frauds, from then on only those of the other. Every outcome is the data's own.
The adaptive mix also forgets: from much drift on, it learns from what was found in the last weeks and since.
Three choosers see the same weeks: the adaptive mix, the model's choice alone, chance alone.
Prints a JSON line for each figure on standard output, and a line of progress for each week on standard error; under a minute on one
core. A limit that is missed says `"kept": false` and ends nothing.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from . import calibrate, declarations, explore, features, trees
from .declarations import DataError, Declarations

WARM_UP, WEEKS, SHIFT = 4, 60, 30
BUDGET = 0.05
RETRAIN_WEEKS = 2
# Weeks that drift is measured over, and that what is usual is learnt from.
LOOK_BACK, USUAL_WEEKS = 4, 13
# Weeks of outcomes that are kept when those before are outdated, and before they can be again.
KEEP_WEEKS, AGAIN_WEEKS = 2, 8
SETTINGS = {**trees.OURS, "max_depth": 3, "rounds": 60, "learning_rate": 0.1, "min_child_weight": 3}
CHOOSERS = ("adaptive", "exploitation", "random")


def joined(parts: list[Declarations]) -> Declarations:
    """All parts as one, in order of time."""
    whole = Declarations(
        {name: np.concatenate([p.texts[name] for p in parts]) for name in parts[0].texts},
        {name: np.concatenate([p.numbers[name] for p in parts]) for name in parts[0].numbers},
        np.concatenate([p.day for p in parts]),
        np.concatenate([p.fraud for p in parts]),
    )
    return whole.where(np.argsort(whole.day, kind="stable"))


def shifted(rows: Declarations, week: np.ndarray, seed: int) -> Declarations:
    """The stream with its shift; `week` numbers each row's week from the first."""
    chapter = rows.texts["hs6"].astype("U2")
    chapters = np.unique(chapter)
    late_half = np.isin(chapter, np.random.default_rng(seed).choice(chapters, len(chapters) // 2, replace=False))
    moved = week >= WARM_UP + SHIFT
    return Declarations(rows.texts, rows.numbers, rows.day, np.where(late_half == moved, rows.fraud, 0))


class Chooser:
    """One way to choose, with the outcomes that it has learnt."""

    def __init__(self, name: str, rows: Declarations, week: np.ndarray) -> None:
        self.name, self.rows, self.week = name, rows, week
        self.known = week < WARM_UP
        self.model: trees.Ensemble | None = None
        self.curve: dict[str, list[float]] = {}
        self.recent: list[tuple[float, float]] = []
        self.found = 0
        self.since = 0
        self.outdated = -AGAIN_WEEKS

    def mix(self) -> tuple[explore.Mix, float]:
        """The mix of this week and the drift it answers: how far what was inspected lately fell from what was said of it."""
        if self.name != "adaptive":
            return (explore.ONLY_EXPLOIT if self.name == "exploitation" else explore.ONLY_RANDOM), 0.0
        window = self.recent[-LOOK_BACK:]
        drift = abs(float(np.mean([said - found for said, found in window]))) if window else 0.0
        return explore.for_drift(drift), drift

    def step(self, number: int, draw: np.ndarray) -> dict[str, object]:
        """Choose and inspect in week `number`."""
        now = np.flatnonzero(self.week == number)
        mix, drift = self.mix()
        if drift >= explore.MUCH_DRIFT and number - self.outdated >= AGAIN_WEEKS:
            self.outdated, self.since, self.model = number, number - KEEP_WEEKS, None
        probability, novelty = np.full(len(now), 0.5), np.ones(len(now))
        if mix != explore.ONLY_RANDOM:
            probability, novelty = self.score(number, now)
        chosen = explore.choose(probability, novelty, draw, round(len(now) * BUDGET), mix)
        picked = np.array([index for index, _ in chosen])
        outcome = self.rows.fraud[now[picked]]
        self.known[now[picked]] = True
        self.found += int(outcome.sum())
        sure = np.array([stratum == explore.EXPLOIT for _, stratum in chosen])
        if sure.any():
            self.recent.append((float(probability[picked][sure].mean()), float(outcome[sure].mean())))
        return {
            "week": number - WARM_UP + 1, "chooser": self.name, "inspected": len(picked), "found": int(outcome.sum()),
            "cumulative": self.found, "drift": round(drift, 4), "random": mix.random, "explore": mix.explore,
        }  # fmt: skip

    def score(self, number: int, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Chances of fraud, and how new each is: 1 without any record of its price and goods, to 0."""
        taught = self.known & (self.week >= self.since)
        if not 0 < self.rows.fraud[taught].sum() < taught.sum():
            return np.full(len(now), 0.5), np.ones(len(now))  # outcomes of one kind teach nothing
        seen = (self.week < number) & ((self.week >= number - USUAL_WEEKS) | taught)
        tables = features.learn(self.rows.where(seen), taught[seen])
        if self.model is None or (number - WARM_UP) % RETRAIN_WEEKS == 0:
            self.train(self.rows.where(taught))
        made = features.compute(self.rows.where(now), tables)
        chance = calibrate.apply(self.curve, self.model.margin(made))
        count = made[:, features.names().index("count:item_price*hs6")]
        return chance, 1.0 / (1.0 + count)

    def train(self, known: Declarations) -> None:
        """Learn from what is known: margins are read as log-odds, there is too little to fit a curve on."""
        made, _ = features.compute_in_time(known)
        self.model = trees.train(made, known.fraud, SETTINGS, 1, threads=1)
        grid = np.linspace(-6.0, 6.0, 61)
        self.curve = {"margins": list(grid), "probabilities": list(1.0 / (1.0 + np.exp(-grid)))}


def run(rows: Declarations, seed: int, say=lambda line: None) -> list[dict[str, object]]:
    """All weeks of all choosers."""
    week = (rows.day - rows.day.min()) // 7
    if week.max() < WARM_UP + WEEKS - 1:
        raise DataError(f"the data spans {week.max() + 1} weeks; {WARM_UP + WEEKS} are needed")
    rows = shifted(rows, week, seed)
    choosers = [Chooser(name, rows, week) for name in CHOOSERS]
    lines = []
    for number in range(WARM_UP, WARM_UP + WEEKS):
        draw = np.random.default_rng([seed, number]).random(int((week == number).sum()))
        for chooser in choosers:
            lines.append(chooser.step(number, draw))
            say(lines[-1])
    return lines


def figures(lines: list[dict[str, object]], seed: int) -> list[dict[str, object]]:
    """What came of a stream: finds of each chooser over all weeks and after the shift; the adaptive mix must find no fewer than either
    of the others."""
    made = []
    for name, first in (("found", 0), ("found_after_the_shift", SHIFT)):
        later = [line for line in lines if int(line["week"]) > first]
        finds = {chooser: sum(int(line["found"]) for line in later if line["chooser"] == chooser) for chooser in CHOOSERS}
        least = max(finds[chooser] for chooser in CHOOSERS if chooser != "adaptive")
        for chooser in CHOOSERS:
            limited = {"limit": {"at_least": least}, "kept": finds[chooser] >= least} if chooser == "adaptive" else {}
            made.append({
                "figure": f"risk.stream.{name}.{chooser}", "value": finds[chooser], "unit": "frauds", "weeks": WEEKS - first,
                "shift_after_week": SHIFT, "inspected": sum(int(line["inspected"]) for line in later if line["chooser"] == chooser),
                "seed": seed, **limited,
            })  # fmt: skip
    return made


COLOURS = {"adaptive": "#00693e", "exploitation": "#b35900", "random": "#555555"}


def plot(lines: list[dict[str, object]]) -> str:
    """Cumulative finds by week, as SVG."""
    most = max(int(line["cumulative"]) for line in lines)
    x = lambda week: 60 + 640 * week / WEEKS  # noqa: E731
    y = lambda found: 360 - 320 * found / most  # noqa: E731
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 410" font-family="sans-serif" font-size="13">']
    out.append(f'<title>Frauds found in {WEEKS} weeks, {BUDGET:.0%} inspected</title>')
    out.append('<path d="M60 40V360H700" fill="none" stroke="#000"/>')
    out.append(f'<path d="M{x(SHIFT)} 40V360" stroke="#999" stroke-dasharray="4"/><text x="{x(SHIFT) + 5}" y="52">fraud moves</text>')
    out += [f'<text x="{x(w)}" y="380" text-anchor="middle">{w}</text>' for w in range(0, WEEKS + 1, 10)]
    out += [f'<text x="52" y="{y(most * p / 4) + 4}" text-anchor="end">{most * p // 4}</text>' for p in range(5)]
    out.append('<text x="380" y="402" text-anchor="middle">week</text><text x="60" y="28">frauds found, cumulative</text>')
    for name in CHOOSERS:
        own = [line for line in lines if line["chooser"] == name]
        points = " ".join(f"{x(int(line['week'])):.1f},{y(int(line['cumulative'])):.1f}" for line in own)
        last = int(own[-1]["cumulative"])
        out.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        lift = -8 if name == "adaptive" else 10
        out.append(f'<text x="706" y="{y(last) + lift:.1f}" fill="{COLOURS[name]}">{name} {last}</text>')
    return "\n".join([*out, "</svg>", ""])


def progress(line: dict[str, object]) -> None:
    """A line for each week, once its last chooser is done."""
    if line["chooser"] == CHOOSERS[-1]:
        print(f"week {line['week']} of {WEEKS}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the CSV files of declarations whose outcome is known")
    parser.add_argument("--weekly", type=Path, help="also write a JSON line for each week and chooser to this file")
    parser.add_argument("--plot", type=Path, help="also draw the finds, as SVG")
    parser.add_argument("--seed", type=int, default=1, help="draws the chapters and the random strata (default: 1)")
    arguments = parser.parse_args()
    try:
        files = sorted(arguments.data.glob("*.csv"))
        if not files:
            raise DataError(f"{arguments.data}: there is no CSV file in it; --data wants the folder with the CSV files")
        rows = joined([declarations.read(file) for file in files])
        lines = run(rows, arguments.seed, progress)
    except DataError as error:
        sys.exit(str(error))
    for figure in figures(lines, arguments.seed):
        print(json.dumps(figure), flush=True)
    if arguments.weekly:
        arguments.weekly.parent.mkdir(parents=True, exist_ok=True)
        arguments.weekly.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if arguments.plot:
        arguments.plot.parent.mkdir(parents=True, exist_ok=True)
        arguments.plot.write_text(plot(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
