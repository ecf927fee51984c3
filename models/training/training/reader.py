"""The plate reader: a straightened crop in, one character distribution per slot and the layout out.

A small convolutional network gives a grid of 4 x 20 features; one encoder layer lets them see each other
(a character's slot depends on how many stand before it, and on whether there is a row above); ten slot
queries then each fetch their character from the grid. Nothing is recurrent, so one plate costs the same
whatever it says.
"""

import math

import torch
from torch import Tensor, nn

from .data import CLASSES, LAYOUTS, SLOTS
from .layers import Residual, conv

GRID = (4, 20)


class Attention(nn.Module):
    """Multi-head attention, written out so that it exports to plain matrix products."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.memory = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """x [N, Q, C], memory [N, M, C] -> [N, Q, C]."""
        n, q, c = x.shape
        m = memory.shape[1]
        per_head = c // self.heads
        query = self.query(x).reshape(n, q, self.heads, per_head).transpose(1, 2)
        key, value = self.memory(memory).reshape(n, m, 2, self.heads, per_head).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(-1, -2) / math.sqrt(per_head)).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(n, q, c))


def feed_forward(width: int) -> nn.Sequential:
    """[.., width] -> [.., width] through twice the width."""
    return nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, normalised first. [N, M, C] -> [N, M, C]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.attention = Attention(width, heads)
        self.feed = feed_forward(width)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape out as in."""
        y = self.norms[0](x)
        x = x + self.attention(y, y)
        return x + self.feed(self.norms[1](x))


class DecoderLayer(nn.Module):
    """Slots look at each other, then at the grid. slots [N, S, C], grid [N, M, C] -> [N, S, C]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.among = Attention(width, heads)
        self.across = Attention(width, heads)
        self.feed = feed_forward(width)

    def forward(self, slots: Tensor, grid: Tensor) -> Tensor:
        """Same shape out as `slots`."""
        slots = slots + self.across(self.norms[0](slots), grid)
        y = self.norms[1](slots)
        slots = slots + self.among(y, y)
        return slots + self.feed(self.norms[2](slots))


class Reader(nn.Module):
    """pixels f32 [N, 1, 64, 160] in 0..1 -> logits f32 [N, 10, 40], layout f32 [N, 3]."""

    def __init__(self, width: int = 128, heads: int = 4, decoders: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            conv(1, 24, 5, 2),
            conv(24, 48, 3, 2),
            Residual(48),
            conv(48, 96, 3, 2),
            Residual(96),
            Residual(96),
            Residual(96),
            conv(96, width, 3, (2, 1)),
        )
        self.positions = nn.Parameter(torch.randn(1, GRID[0] * GRID[1], width) * 0.02)
        self.encoder = EncoderLayer(width, heads)
        self.memory_norm = nn.LayerNorm(width)
        self.slots = nn.Parameter(torch.randn(1, SLOTS, width) * 0.5)
        self.decoders = nn.ModuleList(DecoderLayer(width, heads) for _ in range(decoders))
        self.norm = nn.LayerNorm(width)
        self.characters = nn.Linear(width, CLASSES)
        self.layout = nn.Linear(width, len(LAYOUTS))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        x = self.features(normalised(pixels))
        grid = self.encoder(x.flatten(2).transpose(1, 2) + self.positions)
        grid = self.memory_norm(grid)
        slots = self.slots.expand(grid.shape[0], -1, -1)
        for decoder in self.decoders:
            slots = decoder(slots, grid)
        return self.characters(self.norm(slots)), self.layout(grid.mean(1))


def normalised(pixels: Tensor) -> Tensor:
    """Each picture to zero mean and unit deviation, so that exposure does not matter. [N, 1, H, W], same out."""
    centred = pixels - pixels.mean((2, 3), keepdim=True)
    deviation = (centred * centred).mean((2, 3), keepdim=True).sqrt()
    return centred / (deviation + 0.02)
