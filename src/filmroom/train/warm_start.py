"""Start a training from a network that ships: its ONNX weights back into the torch module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from filmroom.errors import InputError


def load_from_onnx(net: nn.Module, path: Path, examples: Tensor) -> None:
    """Give `net` the convolution weights of an exported, possibly int8, ONNX file of the same network.

    On export batch normalisation was folded into the convolutions. It is unfolded such that the network
    computes what the file computes, on `examples` (N, C, H, W), a batch like those it will be trained
    on: each normalisation takes the statistics that it sees there, so training may go on as if it had
    never stopped. InputError where the file is of another network.
    """
    weights = _convolutions(path)
    order = _in_running_order(net, examples)
    if [tuple(module.weight.shape) for module in order] != [weight.shape for weight, _ in weights]:
        raise InputError(f"{path}: not a file of this network; train without it")
    following = _normalisations(net)
    with torch.no_grad():
        for module, (weight, bias) in zip(order, weights, strict=True):
            module.weight.copy_(torch.from_numpy(weight.copy()))
            offset = torch.zeros(len(weight)) if bias is None else torch.from_numpy(bias.copy())
            if module.bias is not None:
                module.bias.copy_(offset)
            elif module in following:
                following[module].bias.copy_(offset)
    _unfold(net, examples)


def _convolutions(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32] | None]]:
    """Weights and biases of the convolutions in a file, in running order, as float32."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    producers = {output: node for node in graph.node for output in node.output}

    def value(name: str) -> NDArray[np.float32]:
        if name in constants:
            return np.asarray(constants[name], np.float32)
        node = producers[name]
        whole, scale, zero = (np.asarray(constants[each], np.float32) for each in node.input)
        if scale.ndim:  # one scale for every output channel
            shape = [-1, *[1] * (whole.ndim - 1)]
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        return np.asarray((whole - zero) * scale, np.float32)

    nodes = [node for node in graph.node if node.op_type == "Conv"]
    return [
        (value(node.input[1]), value(node.input[2]) if len(node.input) > 2 else None) for node in nodes
    ]


def _in_running_order(net: nn.Module, examples: Tensor) -> list[nn.Conv2d]:
    order: list[nn.Conv2d] = []
    hooks = [
        module.register_forward_pre_hook(lambda module, _: order.append(module))
        for module in net.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        net.eval()(examples[:1])
    for hook in hooks:
        hook.remove()
    return order


def _normalisations(net: nn.Module) -> dict[nn.Module, nn.BatchNorm2d]:
    """The normalisation after each convolution, for pairs that stand side by side in a Sequential."""
    found: dict[nn.Module, nn.BatchNorm2d] = {}
    for module in net.modules():
        if isinstance(module, nn.Sequential):
            for one, other in zip(module, list(module)[1:], strict=False):
                if isinstance(one, nn.Conv2d) and isinstance(other, nn.BatchNorm2d):
                    found[one] = other
    return found


def _unfold(net: nn.Module, examples: Tensor) -> None:
    """Make every normalisation the identity plus its bias, with the statistics of `examples`."""

    def adopt(module: Any, inputs: tuple[Tensor]) -> None:
        mean = inputs[0].mean((0, 2, 3))
        variance = inputs[0].var((0, 2, 3), unbiased=False)
        module.running_mean.copy_(mean)
        module.running_var.copy_(variance)
        module.weight.copy_((variance + module.eps).sqrt())
        module.bias.add_(mean)

    hooks = [
        module.register_forward_pre_hook(adopt)
        for module in net.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        net.eval()(examples)
    for hook in hooks:
        hook.remove()
