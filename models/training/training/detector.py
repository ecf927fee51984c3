"""The plate detector: one heat map per plate class, and four corner offsets at each cell.

Centres as points (CenterNet style), so that two plates that touch - the Hong Kong plate right above the
cross-boundary one - stay two peaks where anchor boxes would merge. The network is fully convolutional: it
is trained on tiles and exported for whole frames.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .data import IGNORED, LAYOUTS
from .layers import Residual, conv

STRIDE = 4
CORNER_UNIT = 16.0
# A centre that was never seen starts as improbable as most cells are, or the first steps blow up.
PRIOR_LOGIT = -4.0


class Detector(nn.Module):
    """pixels f32 [N, 1, H, W] in 0..1 -> heat logits f32 [N, 3, H/4, W/4], corners f32 [N, 8, H/4, W/4].

    `corners` are x, y of the four corners relative to the cell's centre, in units of CORNER_UNIT pixels.
    H and W are multiples of 32. Most of the work is done at strides 8 to 32; the last layers, at stride 4, are
    narrow: they only have to tell a plate from the one that touches it and to place its corners.
    """

    def __init__(self, channels: tuple[int, int, int, int] = (32, 48, 80, 112), last: int = 24) -> None:
        super().__init__()
        c4, c8, c16, c32 = channels
        self.to4 = nn.Sequential(nn.Conv2d(1, c4, 8, 4, 2, bias=False), nn.BatchNorm2d(c4), nn.ReLU())
        self.to8 = nn.Sequential(conv(c4, c8, 3, 2), Residual(c8))
        self.to16 = nn.Sequential(conv(c8, c16, 3, 2), Residual(c16), Residual(c16))
        self.to32 = nn.Sequential(conv(c16, c32, 3, 2), Residual(c32), Residual(c32))
        self.from32 = conv(c32, c16, 1)
        self.fuse16 = conv(c16, c16)
        self.from16 = conv(c16, c8, 1)
        self.fuse8 = conv(c8, c8)
        self.from8 = conv(c8, last, 1)
        self.from4 = conv(c4, last, 1)
        self.heat = nn.Sequential(conv(last, last), nn.Conv2d(last, len(LAYOUTS), 1))
        self.corners = nn.Sequential(conv(last, last), conv(last, last), nn.Conv2d(last, 8, 1))
        nn.init.constant_(self.heat[-1].bias, PRIOR_LOGIT)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        x4 = self.to4(pixels * 4.0 - 2.0)
        x8 = self.to8(x4)
        x16 = self.to16(x8)
        x32 = self.to32(x16)
        x16 = self.fuse16(x16 + F.interpolate(self.from32(x32), scale_factor=2.0, mode="nearest"))
        x8 = self.fuse8(x8 + F.interpolate(self.from16(x16), scale_factor=2.0, mode="nearest"))
        x4 = self.from4(x4) + F.interpolate(self.from8(x8), scale_factor=2.0, mode="nearest")
        return self.heat(x4), self.corners(x4)


def cell_centres(height: int, width: int) -> Tensor:
    """Centres of the cells in pixels, f32 [2, height, width]: x, then y."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (torch.stack([x, y]).float() + 0.5) * STRIDE


def targets(plates: Tensor, height: int, width: int) -> dict[str, Tensor]:
    """What the network should say about plates f32 [N, P, 9] on a grid of `height` x `width` cells.

    heat    f32 [N, 3, h, w]   Gaussian of each plate, its peak exactly 1 at the cell of the centre
    weight  f32 [N, 1, h, w]   0 inside plates to ignore
    corners f32 [N, 8, h, w]   those of the plate that owns the cell
    size    f32 [N, 2, h, w]   its width and height in pixels
    owned   f32 [N, 1, h, w]   how much the corners at a cell count: the Gaussian near the centre, else 0
    """
    kind = plates[..., 0]
    quads = plates[..., 1:].unflatten(-1, (4, 2))
    low, high = quads.amin(2), quads.amax(2)
    centre, extent = quads.mean(2), (high - low).clamp(min=8.0)
    grid = cell_centres(height, width)
    # The cell that holds the centre gets a whole 1, whatever the centre's place inside it.
    snapped = (centre / STRIDE).floor() * STRIDE + STRIDE / 2
    away = grid[None, None] - snapped[..., None, None]
    sigma = (extent * 0.11).clamp(min=STRIDE * 0.35)
    bump = torch.exp(-0.5 * (away / sigma[..., None, None]).square().sum(2))
    inside = (centre >= 0).all(-1) & (centre[..., 0] < width * STRIDE) & (centre[..., 1] < height * STRIDE)
    shown = (kind >= 0) & (kind < len(LAYOUTS)) & inside
    heat = torch.stack([(bump * ((kind == c) & shown)[..., None, None]).amax(1) for c in range(len(LAYOUTS))], 1)
    share, owner = (bump * shown[..., None, None]).max(1)
    flat = owner.flatten(1)
    offsets = quads.flatten(2).gather(1, flat[..., None].expand(-1, -1, 8)).transpose(1, 2)
    size = extent.gather(1, flat[..., None].expand(-1, -1, 2)).transpose(1, 2)
    corners = offsets.unflatten(2, (height, width)) - grid.repeat(4, 1, 1)
    hidden = ((grid[None, None] > low[..., None, None]) & (grid[None, None] < high[..., None, None])).all(2)
    hidden = (hidden & (kind == IGNORED)[..., None, None]).any(1)
    return {
        "heat": heat,
        "weight": (~hidden).float()[:, None],
        "corners": corners / CORNER_UNIT,
        "size": size.unflatten(2, (height, width)),
        "owned": (share * (share > 0.4))[:, None],
    }


def losses(heat: Tensor, corners: Tensor, wanted: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Heat loss (penalty-reduced focal) and corner loss (smooth L1 in parts of the plate's own size)."""
    truth, weight = wanted["heat"], wanted["weight"]
    chance = heat.sigmoid()
    peak = (truth >= 0.999).float()
    hit = F.logsigmoid(heat) * (1 - chance).square() * peak
    miss = F.logsigmoid(-heat) * chance.square() * (1 - truth).pow(4) * (1 - peak)
    focal = -((hit + miss) * weight).sum() / peak.sum().clamp(min=1.0)
    off = (corners - wanted["corners"]) * CORNER_UNIT / wanted["size"].repeat(1, 4, 1, 1)
    smooth = F.smooth_l1_loss(off, torch.zeros_like(off), beta=0.05, reduction="none") / 0.05
    owned = wanted["owned"]
    return focal, (smooth * owned).sum() / (8 * owned.sum().clamp(min=1.0))
