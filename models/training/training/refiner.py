"""The corner refiner: a crop around a plate as the detector found it in, how far its four corners are off out.

The detector looks at a whole frame at a few hundred pixels and places corners to about a pixel of those; the plate itself
is often three times as large in the frame. This network looks at the plate alone and says where its corners really are.
"""

from torch import Tensor, nn

from .data import CROP_HEIGHT, CROP_WIDTH
from .layers import Residual, conv
from .reader import normalised


class Refiner(nn.Module):
    """pixels f32 [N, 1, 64, 160] in 0..1, a wide margin around the plate -> offsets f32 [N, 8].

    Offsets are x, y of the four true corners, clockwise from the top left, relative to the found ones, in parts of the
    found plate's width and height.
    """

    def __init__(self, channels: tuple[int, int, int, int] = (16, 32, 48, 64), hidden: int = 96) -> None:
        super().__init__()
        c2, c4, c8, c16 = channels
        self.features = nn.Sequential(
            conv(1, c2, 5, 2), conv(c2, c4, 3, 2), Residual(c4), conv(c4, c8, 3, 2), Residual(c8), conv(c8, c16, 3, 2)
        )
        cells = (CROP_HEIGHT // 16) * (CROP_WIDTH // 16)
        self.offsets = nn.Sequential(nn.Linear(c16 * cells, hidden), nn.ReLU(), nn.Linear(hidden, 8))
        nn.init.zeros_(self.offsets[-1].weight)
        nn.init.zeros_(self.offsets[-1].bias)

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        return self.offsets(self.features(normalised(pixels)).flatten(1))
