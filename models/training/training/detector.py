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
# Cells, each way, of which one's corners are told.
REACH = 5
# A centre that was never seen starts as improbable as most cells are, or the first steps blow up.
PRIOR_LOGIT = -4.0


def cells(pixels: Tensor) -> Tensor:
    """Pictures f32 [N, 1, H, W] in 0..1 as the detector takes them: f32 [N, H/4 + 1, W/4 + 1, 16].

    Pixels are centred, (p - 128) / 64 for a byte p, which 8 bits hold without a loss. A cell is 4 x 4 of them, row by row, and
    cells are two pixels up and left of the grid of the maps: four cells that touch are what the first layer sees around one
    cell of the maps. A first layer of one channel would be the slowest of all.
    """
    framed = F.pad((pixels * 255.0 - 128.0) / 64.0, (STRIDE // 2,) * 4)
    return F.pixel_unshuffle(framed, STRIDE).permute(0, 2, 3, 1)


def doubled(x: Tensor) -> Tensor:
    """Each cell as four: [N, C, H, W] -> [N, C, 2 H, 2 W]. Copies with channels last, which are whole rows in memory: several
    times as fast as ONNX Runtime's Resize."""
    n, c, h, w = x.shape
    rows = x.permute(0, 2, 3, 1)
    rows = torch.cat([rows, rows], -1).reshape(n, h, 1, 2 * w * c)
    return torch.cat([rows, rows], 2).reshape(n, 2 * h, 2 * w, c).permute(0, 3, 1, 2)


class Detector(nn.Module):
    """pixels f32 [N, 1, H, W] in 0..1 -> heat logits f32 [N, 3, H/4, W/4], corners f32 [N, 8, H/4, W/4].

    `corners` are x, y of the four corners relative to the cell's centre, in units of CORNER_UNIT pixels.
    H and W are multiples of 32. Most of the work is done at strides 8 to 32; the last layers, at stride 4, are
    narrow: they only have to tell a plate from the one that touches it and to place its corners.
    """

    def __init__(self, channels: tuple[int, int, int, int] = (32, 48, 80, 112), last: int = 24) -> None:
        super().__init__()
        c4, c8, c16, c32 = channels
        self.to4 = nn.Sequential(nn.Conv2d(STRIDE * STRIDE, c4, 2, bias=False), nn.BatchNorm2d(c4), nn.ReLU())
        self.to8 = nn.Sequential(conv(c4, c8, 3, 2), Residual(c8))
        self.to16 = nn.Sequential(conv(c8, c16, 3, 2), Residual(c16), Residual(c16))
        self.to32 = nn.Sequential(conv(c16, c32, 3, 2), Residual(c32), Residual(c32))
        self.from32 = conv(c32, c16, 1)
        self.fuse16 = conv(c16, c16)
        self.from16 = conv(c16, c8, 1)
        self.fuse8 = conv(c8, c8)
        self.from8 = conv(c8, last, 1)
        self.from4 = conv(c4, last, 1)
        self.heat = nn.Sequential(conv(last, last), PerCell(last, len(LAYOUTS)))
        self.corners = nn.Sequential(conv(last, last), conv(last, last), PerCell(last, 8))
        nn.init.constant_(self.heat[-1].bias, PRIOR_LOGIT)
        self.register_load_state_dict_pre_hook(from_older)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        features = self.features(cells(pixels))
        heat, corners = self.heat(features), self.corners(features)
        return heat.permute(0, 3, 1, 2), corners.permute(0, 3, 1, 2)

    def features(self, cells: Tensor) -> Tensor:
        """What heat and corners are told from: pictures as `cells` gives them -> f32 [N, last, H/4, W/4]."""
        x4 = self.to4(cells.permute(0, 3, 1, 2))
        x8 = self.to8(x4)
        x16 = self.to16(x8)
        x32 = self.to32(x16)
        x16 = self.fuse16(x16 + doubled(self.from32(x32)))
        x8 = self.fuse8(x8 + doubled(self.from16(x16)))
        return self.from4(x4) + doubled(self.from8(x8))


class PerCell(nn.Linear):
    """The same linear layer at each cell: [N, C, H, W] -> [N, H, W, outputs]."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return super().forward(x.permute(0, 2, 3, 1))


class Sight(nn.Module):
    """The part of the detector that looks at the whole picture, as it is exported: pictures as `cells` gives them -> heat
    logits f32 [N, H/4, W/4, 3], features f32 [N, H/4, W/4, last]."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        features = self.detector.features(cells)
        return self.detector.heat(features), features.permute(0, 2, 3, 1)


class Corners(nn.Module):
    """The part that is needed only where there is a plate: features f32 [N, REACH, REACH, last] around it -> corners f32
    [N, REACH, REACH, 8]. Two 3x3 convolutions see two cells far, so of a cell it says what it would say in the whole map as
    long as the window holds all within two of that cell, or ends where the map ends."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return self.detector.corners(features.permute(0, 3, 1, 2))


def from_older(_: nn.Module, weights: dict[str, Tensor], prefix: str, *__: object) -> None:
    """Weights of bundles up to 1.1, in today's form: they give the same values. Their first layer was 8x8 on pixels * 4 - 2."""
    first = weights.get(f"{prefix}to4.0.weight")
    if first is None or first.shape[1] != 1:
        return
    n = len(first)
    inside = first.reshape(n, 2, STRIDE, 2, STRIDE).permute(0, 2, 4, 1, 3).reshape(n, STRIDE * STRIDE, 2, 2)
    # A byte p was p / 63.75 - 2; now it is p / 64 - 2.
    weights[f"{prefix}to4.0.weight"] = inside * (64.0 / 63.75)
    constant = 2.0 * (64.0 / 63.75 - 1.0) * inside.sum((1, 2, 3))
    weights[f"{prefix}to4.1.running_mean"] = weights[f"{prefix}to4.1.running_mean"] - constant
    for name in ("heat.1", "corners.2"):
        weights[f"{prefix}{name}.weight"] = weights[f"{prefix}{name}.weight"].flatten(1)


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
