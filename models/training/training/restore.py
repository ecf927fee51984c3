"""The weights of an exported bundle, back in the network they came from: the start of a training that goes on from a
shipped bundle, whose checkpoints nobody kept.

Export folds batch normalisation into convolutions and gives folded weights names of its own, so they are found by
value: a network of the same form with random weights is exported too, and whatever stands at the same place in both
files is the same weight.
"""

import copy
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

Weights = list[tuple[str, np.ndarray]]


def initializers(file: Path) -> Weights:
    """Names and values in the order in which the file has them."""
    return [(i.name, numpy_helper.to_array(i)) for i in onnx.load(file).graph.initializer]


def normalised_convolutions(network: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each convolution that a batch normalisation follows."""
    pairs = []
    for block in network.modules():
        if isinstance(block, nn.Sequential):
            children = list(block)
            pairs += [(a, b) for a, b in zip(children, children[1:], strict=False)
                      if isinstance(a, nn.Conv2d) and isinstance(b, nn.BatchNorm2d)]
    return pairs


class Restoration:
    """Puts the values of `files` of `folder` into a network of the form that wrote them; `write` exports such a network to a
    folder."""

    def __init__(self, network: nn.Module, folder: Path, files: Sequence[str],
                 write: Callable[[nn.Module, Path], None]) -> None:
        self.network = network
        with tempfile.TemporaryDirectory() as place:
            probe = copy.deepcopy(network).eval()
            for parameter in probe.parameters():
                nn.init.normal_(parameter, std=0.1)
            write(probe, Path(place))
            random = [weight for file in files for weight in initializers(Path(place) / file)]
        shipped = [weight for file in files for weight in initializers(folder / file)]
        if [v.shape for _, v in random] != [v.shape for _, v in shipped]:
            form = type(network).__name__
            raise ValueError(f"{' and '.join(files)} of {folder} were not exported from a {form} of this form")
        self._places = list(zip((v for _, v in random), (v for _, v in shipped), strict=True))
        self._probe = probe

    def _found(self, like: np.ndarray) -> np.ndarray:
        for random, value in self._places:
            if random.shape == like.shape and np.allclose(random, like, atol=1e-5):
                return value
        raise ValueError(f"no weight of shape {like.shape} is where it should be")

    @torch.no_grad()
    def restore(self, pictures: Iterable[Tensor]) -> nn.Module:
        """The network, ready to be trained on. `pictures` are batches f32 [N, 1, H, W] from which the statistics are
        measured that export folded away."""
        ours, probes = normalised_convolutions(self.network), normalised_convolutions(self._probe)
        folded = {id(m) for pair in ours for m in pair}
        for (conv, norm), (probe, probe_norm) in zip(ours, probes, strict=True):
            scale = (probe_norm.weight / (probe_norm.running_var + probe_norm.eps).sqrt()).numpy()
            shift = probe_norm.bias.numpy() - probe_norm.running_mean.numpy() * scale
            conv.weight.copy_(torch.from_numpy(self._found(probe.weight.numpy() * scale[:, None, None, None]).copy()))
            norm.weight.fill_((1.0 + norm.eps) ** 0.5)
            norm.bias.copy_(torch.from_numpy(self._found(shift).copy()))
            norm.running_mean.zero_()
            norm.running_var.fill_(1.0)
        modules = zip(self.network.modules(), self._probe.modules(), strict=True)
        for module, probe in modules:
            if id(module) in folded:
                continue
            for name, parameter in module.named_parameters(recurse=False):
                like = getattr(probe, name).detach().numpy()
                turned = isinstance(module, nn.Linear) and name == "weight"
                try:
                    value = self._found(like)
                except ValueError:
                    if not turned:
                        raise
                    value = self._found(like.T).T
                parameter.copy_(torch.from_numpy(value.copy()))
        measure_statistics(self.network, [norm for _, norm in ours], pictures)
        return self.network


@torch.no_grad()
def measure_statistics(network: nn.Module, norms: list[nn.BatchNorm2d], pictures: Iterable[Tensor]) -> None:
    """Give each normalisation the statistics of what comes to it, and weights under which it says what it said."""
    sums: dict[int, list[Tensor]] = {}

    def note(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].double()
        n = x.numel() / x.shape[1]
        total = torch.stack([torch.full((x.shape[1],), n).double(), x.sum((0, 2, 3)), x.square().sum((0, 2, 3))])
        known = sums.get(id(norm))
        sums[id(norm)] = total if known is None else known + total

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    network.eval()
    for batch in pictures:
        network(batch)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        count, total, squares = sums[id(norm)]
        mean = (total / count).float()
        variance = (squares / count).float() - mean.square()
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        scale = norm.weight / (1.0 + norm.eps) ** 0.5
        norm.bias.add_(mean * scale)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
