"""Convolution and pooling of maps by PyTorch in float64, in the words and tensors of vknorm-check."""
import torch
import torch.nn.functional as functional

from family_torch import Layer, Scale

UNIT, EXACT = 2**-24, torch.tensor(1e-30)


def words_for(**options):
    """A padding of 0 is not said: it is none."""
    return [word for name, value in options.items() if value for word in ("--" + name.replace("_", "-"), str(value))]


def within(additions, magnitudes):
    """How far off sums of terms of those magnitudes may be after so many additions, in any order."""
    unit = UNIT * additions
    return unit / (1 - unit) * magnitudes + 1e-37


def of_sums(forward, leaves, dy):
    """What `forward`, which is linear in each of its leaves, gives, and its gradients."""
    leaves = {name: leaf.double().requires_grad_() for name, leaf in leaves.items()}
    y = forward(**leaves)
    gradients = torch.autograd.grad(y, list(leaves.values()), dy.double())
    return {"y": y.detach(), **{"d" + name: gradient for name, gradient in zip(leaves, gradients)}}


def layer_of_sums(operation, words, forward, leaves, additions=None):
    """With a dy. `additions` is how many make a y or a gradient, if the terms do not say."""
    dy = (0.25 + torch.randn(forward(**leaves).shape)).float()
    layer = Layer(operation, words, {**leaves, "dy": dy})
    magnitudes = of_sums(forward, {name: leaf.abs() for name, leaf in leaves.items()}, dy.abs())
    terms = of_sums(forward, {name: torch.ones_like(leaf) for name, leaf in leaves.items()}, torch.ones_like(dy))
    bounds = {name: within(additions or terms[name] + 1, magnitudes[name]) for name in terms}
    layer.add("forward", of_sums(forward, leaves, dy), Scale(bounds=bounds))
    return layer


def conv2d(shape, out_channels, kernel=3, stride=1, padding=0, dilation=1, bias=True):
    leaves = {"x": torch.randn(shape).float(), "weight": torch.randn(out_channels, shape[1], kernel, kernel).float()}
    if bias:
        leaves["bias"] = torch.randn(out_channels).float()
    words = words_for(out_channels=out_channels, kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return layer_of_sums("conv2d", words, lambda x, weight, bias=None: functional.conv2d(x, weight, bias, stride, padding, dilation),
                         leaves)


def average_pool2d(shape, kernel, stride, padding=0, count_include_pad=True):
    words = words_for(kernel=kernel, stride=stride, padding=padding, count_include_pad="on" if count_include_pad else "off")
    return layer_of_sums("average_pool2d", words,
                         lambda x: functional.avg_pool2d(x, kernel, stride, padding, False, count_include_pad),
                         {"x": torch.randn(shape).float()}, kernel * kernel + 5)


def adaptive_average_pool2d(shape, output):
    def most(values, bins):
        """Of values that a bin has, or bins that a value is in."""
        return max(values // bins, bins // values) + 2

    return layer_of_sums("adaptive_average_pool2d", words_for(output_height=output[0], output_width=output[1]),
                         lambda x: functional.adaptive_avg_pool2d(x, output), {"x": torch.randn(shape).float()},
                         most(shape[2], output[0]) * most(shape[3], output[1]) + 5)


def max_pool2d(shape, kernel, stride, padding=0, dilation=1, ties=False):
    """With `ties` values are whole numbers, of which many are equal."""
    x = torch.randn(shape)
    x = (x.round() if ties else x).float().double().requires_grad_()
    y, indices = functional.max_pool2d(x, kernel, stride, padding, dilation, return_indices=True)
    dy = (0.25 + torch.randn(y.shape)).float()
    dx, magnitudes, terms = (torch.autograd.grad(y, x, values.double(), retain_graph=True)[0]
                             for values in (dy, dy.abs(), torch.ones_like(dy)))
    layer = Layer("max_pool2d", words_for(kernel=kernel, stride=stride, padding=padding, dilation=dilation),
                  {"x": x.detach().float(), "dy": dy})
    layer.add("forward", {"y": y, "indices": indices.int(), "dx": dx},
              Scale(bounds={"y": EXACT, "indices": EXACT, "dx": within(terms + 1, magnitudes)}))
    return layer
