"""What both trainings share: schedule, averaged weights, checkpoints, progress lines."""

import argparse
import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

CHECKPOINT, CURVE = "last.pt", "curve.jsonl"
REPORT_STEPS, REFRESH_STEPS = 100, 200


@dataclass
class Options:
    """How a training runs. `minutes` counts time spent training, over all resumptions."""

    data: list[Path]
    validation: Path
    run: Path
    minutes: float = 60.0
    steps: int = 1_000_000
    batch: int = 128
    rate: float = 2e-3
    warmup: float = 0.03
    seed: int = 1
    threads: int = 1
    save_seconds: float = 60.0
    curve_minutes: float = 10.0
    start_from: Path | None = None


def options(description: str, batch: int, rate: float) -> Options:
    """Read the command line."""
    ap = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    ap.add_argument("--data", type=Path, nargs="+", required=True, help="directories with training shards")
    ap.add_argument("--validation", type=Path, required=True, help="directory with validation shards")
    ap.add_argument("--run", type=Path, required=True, help="directory for checkpoints; an unfinished run resumes")
    ap.add_argument("--minutes", type=float, default=60.0, help="training time; the learning rate falls to 0 over it")
    ap.add_argument("--steps", type=int, default=1_000_000, help="stop after this many steps if time does not")
    ap.add_argument("--batch", type=int, default=batch)
    ap.add_argument("--rate", type=float, default=rate, help="highest learning rate")
    ap.add_argument("--warmup", type=float, default=0.03, help="part of the time over which the rate rises")
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=1, help="one thread a process is the most efficient")
    ap.add_argument("--curve-minutes", type=float, default=10.0, help="how often a point of the learning curve is measured")
    ap.add_argument("--start-from", type=Path, help="checkpoint whose averaged weights a new run starts from")
    return Options(**vars(ap.parse_args()))


class Average:
    """Exponential moving average of a network's weights and running statistics."""

    def __init__(self, network: nn.Module, decay: float = 0.9985) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after one more step."""
        keep = min(self._decay, (1 + step) / (10 + step))
        ours, theirs = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in ours.items() if value.is_floating_point()]
        torch._foreach_lerp_([ours[n] for n in floats], [theirs[n] for n in floats], 1.0 - keep)


@dataclass
class Progress:
    """How far a training is."""

    step: int = 0
    seconds: float = 0.0
    samples: int = 0


Losses = dict[str, Tensor]


class Trainer:
    """Trains a network on batches until its time or its steps are over."""

    def __init__(self, network: nn.Module, opts: Options) -> None:
        torch.set_num_threads(opts.threads)
        torch.manual_seed(opts.seed)
        self.opts = opts
        self.network = network.to(memory_format=torch.channels_last)
        self.progress = Progress()
        if opts.start_from:
            network.load_state_dict(torch.load(opts.start_from, weights_only=True)["average"])
        matrices = [p for p in network.parameters() if p.ndim > 1]
        vectors = [p for p in network.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": 0.02}, {"params": vectors, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=opts.rate, betas=(0.9, 0.99))
        self.average = Average(network)
        self._resume()
        self.rng = np.random.default_rng([opts.seed, self.progress.step])

    def _path(self) -> Path:
        return self.opts.run / CHECKPOINT

    def _resume(self) -> None:
        if self._path().exists():
            saved = torch.load(self._path(), weights_only=True)
            self.network.load_state_dict(saved["network"])
            self.average.network.load_state_dict(saved["average"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.progress = Progress(**saved["progress"])
            print(f"resumed at step {self.progress.step}", flush=True)

    def save(self) -> None:
        """Write the checkpoint so that a crash leaves either the old one or the new one."""
        self.opts.run.mkdir(parents=True, exist_ok=True)
        fresh = self._path().with_suffix(".new")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "progress": asdict(self.progress),
            },
            fresh,
        )
        fresh.replace(self._path())

    def _done(self) -> float:
        return max(self.progress.seconds / (60.0 * self.opts.minutes), self.progress.step / self.opts.steps)

    def _set_rate(self) -> None:
        done, warmup = min(self._done(), 1.0), self.opts.warmup
        rise = min(1.0, done / warmup) if warmup > 0 else 1.0
        fall = 0.5 * (1.0 + math.cos(math.pi * max(0.0, (done - warmup) / (1.0 - warmup))))
        for group in self.optimizer.param_groups:
            group["lr"] = self.opts.rate * max(rise * fall, 0.002)

    def _step(self, losses: Losses) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        self.average.update(self.network, self.progress.step)

    def train(self, losses_of: Callable[[nn.Module, np.random.Generator], Losses], refresh: Callable[[], None],
              validate: Callable[[nn.Module], dict[str, float]]) -> dict[str, float]:
        """Train to the end; gives the last validation. `losses_of` draws a batch and gives the parts of its loss."""
        self.network.train()
        began, before, saved = time.monotonic(), self.progress.seconds, time.monotonic()
        measured = self.progress.seconds
        recent: list[dict[str, float]] = []
        while self._done() < 1.0:
            self._set_rate()
            losses = losses_of(self.network, self.rng)
            self._step(losses)
            self.progress.step += 1
            self.progress.samples += self.opts.batch
            self.progress.seconds = before + time.monotonic() - began
            recent.append({name: value.item() for name, value in losses.items()})
            if self.progress.step % REPORT_STEPS == 0:
                self._report(recent)
                recent.clear()
            if self.progress.step % REFRESH_STEPS == 0:
                refresh()
            if time.monotonic() - saved > self.opts.save_seconds:
                self.save()
                saved = time.monotonic()
            if self.progress.seconds - measured > 60.0 * self.opts.curve_minutes:
                self._note(validate(self.average.network))
                measured = self.progress.seconds
        self.save()
        result = validate(self.average.network)
        self._note(result)
        (self.opts.run / "validation.json").write_text(json.dumps({**asdict(self.progress), **result}, indent=1))
        print("validation", json.dumps(result), flush=True)
        return result

    def _note(self, result: dict[str, float]) -> None:
        """One more point of the learning curve."""
        with (self.opts.run / CURVE).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(self.progress), **result}) + "\n")

    def _report(self, recent: list[dict[str, float]]) -> None:
        means = {name: round(sum(r[name] for r in recent) / len(recent), 4) for name in recent[0]}
        rate = self.optimizer.param_groups[0]["lr"]
        line = {"step": self.progress.step, "minutes": round(self.progress.seconds / 60, 1),
                "samples": self.progress.samples, "rate": round(rate, 6), **means}
        print(json.dumps(line), flush=True)
