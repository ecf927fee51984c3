"""Changes made to rendered pictures on the fly, so that no epoch shows the same picture twice.

The renderer models optics and light; what is added here is cheap and covers what it may have too little
of: corners found a little off, exposure, blur, low resolution, noise and things in front of the plate.
Pictures are f32 [N, 1, H, W] in 0..1 throughout.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from .data import CROP_MARGIN, NO_PLATE


def uniform(n: int, low: float, high: float) -> Tensor:
    """f32 [n, 1, 1, 1] between `low` and `high`."""
    return torch.empty(n, 1, 1, 1).uniform_(low, high)


def chosen(n: int, probability: float) -> Tensor:
    """Indices of the pictures that get a change."""
    return (torch.rand(n) < probability).nonzero().flatten()


def tone(x: Tensor, gamma: float = 0.5, contrast: float = 0.4, brightness: float = 0.2) -> Tensor:
    """Gamma, contrast and brightness of each picture. Same shape."""
    n = len(x)
    x = x.clamp(0.0, 1.0).pow(uniform(n, -gamma, gamma).exp())
    x = (x - 0.5) * uniform(n, -contrast, contrast).exp() + 0.5 + uniform(n, -brightness, brightness)
    return x.clamp(0.0, 1.0)


def shade(x: Tensor) -> Tensor:
    """A straight shadow edge or a slow gradient across the picture. Same shape."""
    n, _, h, w = x.shape
    angle = uniform(n, 0.0, 2.0 * torch.pi)
    across = torch.linspace(-1, 1, w).view(1, 1, 1, w) * angle.cos()
    down = torch.linspace(-1, 1, h).view(1, 1, h, 1) * angle.sin()
    softness = uniform(n, 0.5, 3.5).exp()
    mask = torch.sigmoid((across + down + uniform(n, -0.7, 0.7)) * softness)
    return x * (1.0 - uniform(n, 0.15, 0.65) * mask)


def blur(x: Tensor) -> Tensor:
    """Box blur along x or y, as of a moving or badly focused lens. Same shape."""
    along, across = int(torch.randint(1, 3, ())) * 2 + 1, int(torch.randint(0, 2, ())) * 2 + 1
    kernel = (along, across) if torch.rand(()) < 0.5 else (across, along)
    padding = (kernel[1] // 2, kernel[1] // 2, kernel[0] // 2, kernel[0] // 2)
    return F.avg_pool2d(F.pad(x, padding, mode="replicate"), kernel, 1)


def coarsen(x: Tensor, least: float = 0.3, most: float = 0.8) -> Tensor:
    """Down and up again, as a plate far away is; at times without smoothing, as cheap scalers do. Same shape."""
    size = x.shape[2:]
    scale = float(torch.empty(()).uniform_(least, most))
    if torch.rand(()) < 0.3:
        small = F.interpolate(x, scale_factor=max(scale, 0.45), mode="nearest")
    else:
        small = F.interpolate(x, scale_factor=scale, mode="bilinear", antialias=True)
    return F.interpolate(small, size=size, mode="bilinear", align_corners=False)


def sharpen(x: Tensor) -> Tensor:
    """The bright and dark rims of a camera that sharpens too much. Same shape."""
    smooth = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
    return x + uniform(len(x), 0.3, 1.8) * (x - smooth)


def noise(x: Tensor, most: float = 0.06) -> Tensor:
    """Sensor noise of a strength drawn for each picture. Same shape."""
    return x + torch.randn_like(x) * uniform(len(x), 0.0, most)


def erase(x: Tensor) -> Tensor:
    """A strip or patch of flat grey in each picture: a bar, a hook, dirt. Same shape."""
    n, _, h, w = x.shape
    high, wide = uniform(n, 0.03, 0.25) * h, uniform(n, 0.01, 0.08) * w
    lying = uniform(n, 0.0, 1.0) < 0.3
    high, wide = torch.where(lying, wide * h / w, high), torch.where(lying, high * w / h, wide)
    top, left = uniform(n, 0.0, 1.0) * (h - high), uniform(n, 0.0, 1.0) * (w - wide)
    y, x_at = torch.arange(h).view(1, 1, h, 1), torch.arange(w).view(1, 1, 1, w)
    inside = (y >= top) & (y < top + high) & (x_at >= left) & (x_at < left + wide)
    return torch.where(inside, uniform(n, 0.0, 1.0).expand_as(x), x)


def sometimes(x: Tensor, probability: float, change) -> Tensor:
    """`change` for some of the pictures, in place. Same shape."""
    picked = chosen(len(x), probability)
    if len(picked):
        x[picked] = change(x[picked])
    return x


def jitter_corners(x: Tensor, sideways: float, upright: float) -> Tensor:
    """The crop as it would be had each corner been found a little off; deviations in pixels. Same shape."""
    n, _, h, w = x.shape
    down, across = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    base = torch.stack([across, down], -1)
    weights = torch.stack([(1 - across) * (1 - down), (1 + across) * (1 - down), (1 + across) * (1 + down),
                           (1 - across) * (1 + down)]) / 4
    spread = torch.tensor([2.0 * sideways / w, 2.0 * upright / h])
    common, own = torch.randn(n, 1, 2), torch.randn(n, 4, 2)
    # Errors of one plate's corners go together in part: the whole plate is found shifted or too large.
    moved = (0.6 * common + 0.8 * own) * spread * torch.rand(n, 1, 1) * 1.7
    grid = base + torch.einsum("nkc,khw->nhwc", moved, weights)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=True)


def shifted(x: Tensor, view: tuple[float, float, float]) -> Tensor:
    """The crops as they would be had the plate been cut out shifted to the right and down, and grown, by parts of its size.
    Same shape."""
    right, down, growth = view
    plate = 1.0 / (1.0 + 2.0 * CROP_MARGIN)
    theta = torch.tensor([[1.0 + growth, 0.0, 2.0 * right * plate], [0.0, 1.0 + growth, 2.0 * down * plate]])
    grid = F.affine_grid(theta.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def crops(images: Tensor) -> Tensor:
    """Everything that is done to the reader's crops: u8 [N, 64, 160] -> f32 [N, 1, 64, 160]."""
    x = jitter_corners(images[:, None].float() / 255.0, sideways=2.5, upright=2.0)
    return seen(x)


def light(images: Tensor) -> Tensor:
    """Everything that is done to the corner refiner's crops, which must stay in place: u8 [N, H, W] -> f32 [N, 1, H, W]."""
    return seen(images[:, None].float() / 255.0)


def seen(x: Tensor) -> Tensor:
    """Exposure, shadow, sharpness, noise and what may be in front. Same shape."""
    x = tone(x)
    x = sometimes(x, 0.25, shade)
    x = sometimes(x, 0.25, coarsen)
    x = sometimes(x, 0.2, blur)
    x = sometimes(x, 0.25, sharpen)
    x = sometimes(x, 0.15, erase)
    x = noise(x)
    x = sometimes(x, 0.03, lambda y: 1.0 - y)
    return x.clamp(0.0, 1.0)


def mirrored(x: Tensor, plates: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right swapped; corners renamed so that they still run clockwise from the top left."""
    width = x.shape[3]
    quads = plates[..., 1:].unflatten(-1, (4, 2))[..., [1, 0, 3, 2], :].clone()
    quads[..., 0] = width - quads[..., 0]
    return x.flip(3), torch.cat([plates[..., :1], quads.flatten(2)], -1)


def transformed(x: Tensor, plates: Tensor) -> tuple[Tensor, Tensor]:
    """Each tile scaled, slightly turned and shifted, with its plates. Same shapes."""
    n, _, h, w = x.shape
    scale = torch.empty(n).uniform_(-0.45, 0.3).exp()
    angle = torch.randn(n) * 0.05
    shift = torch.empty(n, 2).uniform_(-0.15, 0.15) * torch.tensor([w, h])
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()], -1), torch.stack([angle.sin(), angle.cos()], -1)], 1)
    forward = turn * scale[:, None, None]
    middle = torch.tensor([w / 2, h / 2])
    quads = plates[..., 1:].unflatten(-1, (4, 2)) - middle
    quads = torch.einsum("nij,npkj->npki", forward, quads) + middle + shift[:, None, None]
    # Sampling goes from the new picture back to the old one, in units of half the picture.
    half = torch.tensor([w / 2, h / 2])
    back = torch.linalg.inv(forward) * half[None, None, :] / half[None, :, None]
    offset = -torch.einsum("nij,nj->ni", back, shift / half)
    grid = F.affine_grid(torch.cat([back, offset[..., None]], -1), [n, 1, h, w], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return x, visible(torch.cat([plates[..., :1], quads.flatten(2)], -1), h, w)


def visible(plates: Tensor, height: int, width: int) -> Tensor:
    """Plates cut by the edge become ones to ignore, and those outside none. Same shape."""
    quads = plates[..., 1:].unflatten(-1, (4, 2))
    extent = torch.tensor([width, height])
    inside = ((quads > -3.0) & (quads < extent + 3.0)).all(-1).all(-1)
    outside = (quads.amax(2) < 0).any(-1) | (quads.amin(2) > extent).any(-1)
    kind = plates[..., 0]
    kind = torch.where((kind >= 0) & ~inside, torch.full_like(kind, 255.0), kind)
    kind = torch.where(outside, torch.full_like(kind, float(NO_PLATE)), kind)
    return torch.cat([kind[..., None], plates[..., 1:]], -1)


def tiles(images: Tensor, plates: Tensor) -> tuple[Tensor, Tensor]:
    """Everything that is done to the detector's tiles: u8 [N, H, W], plates [N, P, 9] -> f32 [N, 1, H, W], plates."""
    x = images[:, None].float() / 255.0
    plates = plates.clone()
    if len(flipped := chosen(len(x), 0.3)):
        x[flipped], plates[flipped] = mirrored(x[flipped], plates[flipped])
    if len(moved := chosen(len(x), 0.7)):
        x[moved], plates[moved] = transformed(x[moved], plates[moved])
    x = tone(x, gamma=0.6)
    x = sometimes(x, 0.2, shade)
    x = sometimes(x, 0.15, coarsen)
    x = sometimes(x, 0.15, blur)
    x = sometimes(x, 0.15, sharpen)
    x = noise(x, 0.05)
    return x.clamp(0.0, 1.0), plates
