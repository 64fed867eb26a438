"""The norm family by PyTorch in float64, in the words and tensors of vknorm-check.

What PyTorch has is called: batch_norm and its double backward, instance_norm, group_norm, layer_norm, the fusion of
convolution or linear layer with batch normalization. The rest is written down from its equations; every gradient is
autograd's.
"""
import typing

import torch
import torch.nn.functional as functional
import torch.nn.utils.fusion as fusion

from batch_norm_torch import Case, float32


class Scale(typing.NamedTuple):
    """What rounding errors are measured against."""
    normalized: torch.Tensor = torch.zeros(())  # y before beta, residual and ReLU
    gamma: float = 1.0  # the largest factor
    largest: dict = {}  # by gradient: the largest sum of its terms' absolute values
    deviation: float = 0.0  # the largest of a set's
    bounds: dict = {}  # by tensor: how far off each element may be, where that is known


class Layer:
    """An operation with its data: float32 (or 16-bit) `tensors`, and by mode the words for it and what it gives."""

    def __init__(self, operation, words, tensors):
        self.operation, self.common, self.tensors = operation, words, tensors
        self.modes, self.words_of, self.scales = {}, {}, {}

    def add(self, mode, results, scale, words=()):
        self.modes[mode] = {name: value.detach() for name, value in results.items()}
        self.words_of[mode] = ["--op", self.operation, "--mode", mode, *self.common, *words]
        self.scales[mode] = scale

    def words(self, mode):
        return self.words_of[mode]

    def leaves(self, parameters):
        """x, gamma, beta and, if there is one, the residual: in float64, and variables for autograd."""
        absent = {"gamma": torch.ones(parameters), "beta": torch.zeros(parameters)}
        return {name: (self.tensors[name].double() if name in self.tensors else absent[name]).requires_grad_()
                for name in ("x", "gamma", "beta", "residual") if name in self.tensors or name in absent}

    def gradients(self, y, dy, leaves):
        """By the names of what they are gradients of; added to what is there."""
        results = torch.autograd.grad(y, list(leaves.values()), dy, retain_graph=True)
        named = {"d" + name: gradient for name, gradient in zip(leaves, results)}
        if "dgamma" in self.tensors or "dbeta" in self.tensors:
            for name in ("dgamma", "dbeta"):
                gradient = named.pop(name, None)
                if name in self.tensors:
                    named[name] = gradient + self.tensors[name].double()
        return named


def measured(normalized, inv_std, dy, gamma, axes, channels_last=False):
    """The scale with x^ and what dy goes with it, gamma beside it, and the axes that parameters are shared over."""
    normalized, inv_std, dy, gamma = (tensor.detach() for tensor in (normalized, inv_std, dy, gamma))
    largest = {"dx": (dy.abs().max() * gamma.abs().max() * inv_std.max()).item(),
               "dgamma": (dy * normalized).abs().sum(axes).max().item(), "dbeta": dy.abs().sum(axes).max().item()}
    return Scale(last(gamma * normalized, channels_last), gamma.abs().max().item(), largest, (1 / inv_std).max().item())


def by_channel(x, mean, inv_std, dy, gamma, channels_last=False):
    """The same for statistics [C] beside (N, C, ...)."""
    rank = x.dim()
    return measured((x - over(mean, rank)) * over(inv_std, rank), inv_std, dy, over(gamma, rank), shared(rank), channels_last)


def shared(rank):
    """The axes of (N, C, ...) but the channels'."""
    return [axis for axis in range(rank) if axis != 1]


def drawn(shape, parameters, mean=0.0, std=1.0, scale=True, shift=True, residual=False, accumulate=False,
          dtype=torch.float32):
    """x, dy and, as wanted, parameters of that shape."""
    tensors = {"x": (mean + std * torch.randn(shape)).to(dtype), "dy": (0.25 + torch.randn(shape)).to(dtype)}
    if scale:
        tensors["gamma"] = 1 + 0.5 * torch.randn(parameters)
    if shift:
        tensors["beta"] = torch.randn(parameters)
    if residual:
        tensors["residual"] = torch.randn(shape).to(dtype)
    if accumulate:
        tensors["dgamma"] = torch.randn(parameters)
        tensors["dbeta"] = torch.randn(parameters)
    return {name: tensor if tensor.dtype == dtype else tensor.float() for name, tensor in tensors.items()}


def running(channels, mean=0.0, std=1.0, batches=None):
    tensors = {"running_mean": (mean + std * torch.randn(channels)).float(),
               "running_var": ((0.5 + 1.5 * torch.rand(channels)) * std * std).float()}
    if batches is not None:
        tensors["num_batches_tracked"] = torch.tensor(batches)
    return tensors


STORAGE = {torch.float32: [], torch.float16: ["--storage", "float16"], torch.bfloat16: ["--storage", "bfloat16"]}


def words_for(eps, channels_last=False, dtype=torch.float32):
    return ["--eps", repr(float32(eps))] + (["--layout", "channels_last"] if channels_last else []) + STORAGE[dtype]


def first(tensor, channels_last):
    return tensor.movedim(-1, 1) if channels_last else tensor


def last(tensor, channels_last):
    return tensor.movedim(1, -1) if channels_last else tensor


def over(values, rank):
    """[C] beside (N, C, ...)."""
    return values.reshape([1, -1] + [1] * (rank - 2))


def pair(mean):
    return torch.stack([mean, torch.zeros_like(mean)])


def packed(passed):
    """(N, C, ...) to bits [C, ceil(m / 32)]."""
    bits = passed.movedim(1, 0).flatten(1).long()
    bits = torch.nn.functional.pad(bits, (0, -bits.shape[1] % 32)).reshape(bits.shape[0], -1, 32)
    words = (bits << torch.arange(32)).sum(-1)
    return torch.where(words >= 2**31, words - 2**32, words).int()


def group_norm(shape, groups, eps=1e-5, channels_last=False, dtype=torch.float32, **data):
    channels = shape[-1] if channels_last else shape[1]
    layer = Layer("group_norm", words_for(eps, channels_last, dtype) + ["--groups", str(groups)],
                  drawn(shape, channels, dtype=dtype, **data))
    leaves, eps = layer.leaves(channels), float32(eps)
    x, dy = first(leaves["x"], channels_last), layer.tensors["dy"].double()
    y = last(functional.group_norm(x, groups, leaves["gamma"], leaves["beta"], eps), channels_last)
    grouped = x.detach().reshape(shape[0], groups, -1)
    mean, inv_std = grouped.mean(-1), (grouped.var(-1, unbiased=False) + eps).rsqrt()
    normalized = ((grouped - mean[..., None]) * inv_std[..., None]).reshape(x.shape)
    scale = measured(normalized, inv_std, first(dy, channels_last), over(leaves["gamma"], x.dim()), shared(x.dim()),
                     channels_last)
    layer.add("forward", {"y": y, "mean": pair(mean), "inv_std": inv_std, **layer.gradients(y, dy, leaves)}, scale)
    return layer


def layer_norm(shape, dimensions=1, rms=False, eps=1e-5, dtype=torch.float32, **data):
    rank, parameters = len(shape), shape[len(shape) - dimensions:]
    tensors = drawn(shape, parameters, dtype=dtype, **{"shift": not rms, **data})
    if rms:
        tensors.pop("dbeta", None)
    layer = Layer("rms_norm" if rms else "layer_norm",
                  words_for(eps, dtype=dtype) + ["--normalized-dimensions", str(dimensions)], tensors)
    eps, axes = float32(eps), list(range(rank - dimensions, rank))
    leaves, dy = layer.leaves(parameters), tensors["dy"].double()
    x, gamma, beta = leaves["x"], leaves["gamma"], leaves.pop("beta") if rms else leaves["beta"]
    mean = torch.zeros(()) if rms else x.detach().mean(axes, keepdim=True)
    inv_std = ((x - mean).square().mean(axes, keepdim=True) + eps).rsqrt()
    rows = lambda values: values.reshape(shape[:rank - dimensions])
    if rms:
        y, saved = x * inv_std * gamma, {"inv_rms": rows(inv_std)}
    else:
        y = functional.layer_norm(x, parameters, gamma, beta, eps)
        saved = {"mean": pair(rows(mean)), "inv_std": rows(inv_std)}
    scale = measured((x - mean) * inv_std, inv_std, dy, gamma, list(range(rank - dimensions)))
    layer.add("forward", {"y": y, **saved, **layer.gradients(y, dy, leaves)}, scale)
    return layer


def instance_norm(shape, eps=1e-5, momentum=0.1, channels_last=False, track=True, dtype=torch.float32, **data):
    channels, rank = shape[-1] if channels_last else shape[1], len(shape)
    tensors = drawn(shape, channels, dtype=dtype, **data)
    if track:
        tensors |= running(channels, data.get("mean", 0.0), data.get("std", 1.0))
    words = words_for(eps, channels_last, dtype) + ["--momentum", repr(float32(momentum))]
    layer, eps = Layer("instance_norm", words, tensors), float32(eps)
    leaves, dy = layer.leaves(channels), tensors["dy"].double()
    x, gamma, beta = first(leaves["x"], channels_last), leaves["gamma"], leaves["beta"]
    before = {name: tensors[name].double() for name in ("running_mean", "running_var") if track}
    after = {name: value.clone() for name, value in before.items()}
    y = last(functional.instance_norm(x, after.get("running_mean"), after.get("running_var"), gamma, beta, True,
                                      float32(momentum), eps), channels_last)
    flat = x.detach().flatten(2)
    mean, inv_std = flat.mean(-1), (flat.var(-1, unbiased=False) + eps).rsqrt()
    spread = lambda values: values.reshape(values.shape + (1,) * (rank - 2))
    scale = measured((x - spread(mean)) * spread(inv_std), inv_std, first(dy, channels_last), over(gamma, rank), shared(rank),
                     channels_last)
    layer.add("training", {"y": y, "mean": pair(mean), "inv_std": inv_std, **after, **layer.gradients(y, dy, leaves)}, scale)
    if track:
        y = last(functional.instance_norm(x, before["running_mean"], before["running_var"], gamma, beta, False, 0.0, eps),
                 channels_last)
        inv_std = (before["running_var"] + eps).rsqrt()
        scale = by_channel(x, before["running_mean"], inv_std, first(dy, channels_last), gamma, channels_last)
        layer.add("inference", {"y": y}, scale)
        layer.add("backward_frozen", layer.gradients(y, dy, leaves), scale)
    return layer


def statistics_of(x, valid=None):
    """Mean and biased variance of the channels of (N, C, ...)."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    weight = torch.ones_like(x) if valid is None else valid.unsqueeze(1).double().expand_as(x)
    count = weight.sum(axes)
    mean = (weight * x).sum(axes) / count
    return mean, (weight * (x - over(mean, x.dim())).square()).sum(axes) / count


def batch_norm(shape, eps=1e-5, momentum=0.1, channels_last=False, relu="none", masked=False, per_activation=False,
               dtype=torch.float32, **data):
    """Batch normalization with what may surround it."""
    whole = shape
    if per_activation:
        shape, channels_last = (shape[0], torch.Size(shape[1:]).numel()), False
    channels, rank = shape[-1] if channels_last else shape[1], len(shape)
    words = words_for(eps, channels_last, dtype) + ["--momentum", repr(float32(momentum)), "--relu", relu]
    words += ["--per-activation", "on"] if per_activation else []
    eps, weight = float32(eps), float32(momentum)
    while True:
        tensors = drawn(shape, channels, dtype=dtype, **data)
        tensors |= running(channels, data.get("mean", 0.0), data.get("std", 1.0), 3)
        layer = Layer("batch_norm", words, tensors)
        leaves, dy = layer.leaves(channels), tensors["dy"].double()
        x, gamma, beta = first(leaves["x"], channels_last), leaves["gamma"], leaves["beta"]
        residual = leaves.get("residual", torch.zeros(()))
        valid = None
        if masked:
            valid = torch.rand([shape[0], *x.shape[2:]]) < 0.7
            tensors["valid"] = valid.int()
        keep = torch.ones_like(x) if valid is None else valid.unsqueeze(1).double().expand_as(x)
        before = {name: tensors[name].double() for name in ("running_mean", "running_var")}
        mean, var = statistics_of(x, valid)
        if masked:
            normal = over(gamma, rank) * (x - over(mean, rank)) * over((var + eps).rsqrt(), rank) + over(beta, rank)
        else:
            normal = functional.batch_norm(x, None, None, gamma, beta, True, 0.0, eps)
        frozen = functional.batch_norm(x, before["running_mean"], before["running_var"], gamma, beta, False, 0.0, eps)
        normal, frozen = (last(values, channels_last) + residual for values in (normal, frozen))
        # No decision of the ReLU is left to rounding errors.
        if relu == "none" or min(normal.detach().abs().min(), frozen.detach().abs().min()) > 2e-5:
            break
    result = functional.relu if relu != "none" else (lambda values: values)
    mask = lambda values: {"relu_mask": packed(first(values > 0, channels_last) & (keep > 0))} if relu == "mask" else {}
    shown, inv_std = last(keep, channels_last), (var + eps).rsqrt()
    count = keep[:, 0].sum()
    y = result(normal) * shown
    gradients = layer.gradients(y, dy, leaves)
    scale = by_channel(torch.where(keep > 0, x, over(mean, rank)), mean, inv_std, first(dy * shown, channels_last), gamma,
                       channels_last)
    layer.add("training", {"y": y, "mean": pair(mean), "inv_std": inv_std,
                           "running_mean": (1 - weight) * before["running_mean"] + weight * mean,
                           "running_var": (1 - weight) * before["running_var"] + weight * var * count / (count - 1),
                           "num_batches_tracked": tensors["num_batches_tracked"] + 1, **gradients, **mask(normal),
                           **({"count": count.int().reshape(1)} if masked else {})}, scale)
    layer.add("backward", gradients, scale)
    if masked:  # what is left out is never looked at
        tensors["x"] = torch.where(shown > 0, tensors["x"], torch.full_like(tensors["x"], float("nan")))
    else:
        y = result(frozen)
        scale = by_channel(x, before["running_mean"], (before["running_var"] + eps).rsqrt(), first(dy, channels_last), gamma,
                           channels_last)
        layer.add("inference", {"y": y, **mask(frozen)}, scale)
        layer.add("backward_frozen", layer.gradients(y, dy, leaves), scale)
    if per_activation:
        for named in (tensors, *layer.modes.values()):
            for name in ("x", "dy", "residual", "y", "dx", "dresidual"):
                if name in named:
                    named[name] = named[name].reshape(whole)
        for mode, scale in layer.scales.items():
            layer.scales[mode] = scale._replace(normalized=scale.normalized.reshape(whole))
    return layer


def plain_batch_norm(operation="batch_norm", modes=None, words=(), **data):
    """What PyTorch's modules give; see batch_norm_torch."""
    case = Case(**data)
    layer = Layer(operation, [], case.tensors)
    given = {name: tensor.double() for name, tensor in case.tensors.items()}
    x, dy = case.channels_first(given["x"]), case.channels_first(given["dy"])
    gamma = given.get("gamma", torch.ones(x.shape[1]))
    for training in (True, False) if case.track else (True,):
        mean, var = statistics_of(x) if training else (given["running_mean"], given["running_var"])
        scale = by_channel(x, mean, (var + case.eps).rsqrt(), dy, gamma, case.channels_last)
        for mode, results in case.run(training).items():
            if modes is None or mode in modes:
                layer.add(mode, results, scale, [*case.words(mode)[4:], *words])
    return layer


def stages(parts, gather="merge", **data):
    """What batch normalization of the whole gives."""
    return plain_batch_norm("batch_norm_stages", ("training",), ["--parts", str(parts), "--gather", gather], **data)


def double_backward(shape, eps=1e-5, channels_last=False, given=("ddx", "ddgamma", "ddbeta"), **data):
    channels = shape[-1] if channels_last else shape[1]
    tensors = drawn(shape, channels, **{**data, "shift": False})
    for name, size in (("ddx", shape), ("ddgamma", channels), ("ddbeta", channels)):
        if name in given:
            tensors[name] = (0.25 + torch.randn(size)).float()
    layer, eps = Layer("batch_norm", words_for(eps, channels_last), tensors), float32(eps)
    leaves, dy = layer.leaves(channels), tensors["dy"].double().requires_grad_()
    x, gamma, beta = leaves["x"], leaves["gamma"], leaves["beta"]
    y = last(functional.batch_norm(first(x, channels_last), None, None, gamma, beta, True, 0.0, eps), channels_last)
    gradients = dict(zip(("ddx", "ddgamma", "ddbeta"), torch.autograd.grad(y, [x, gamma, beta], dy, create_graph=True)))
    loss = sum((gradients[name] * tensors[name].double()).sum() for name in given)
    results = torch.autograd.grad(loss, [dy, x, gamma], allow_unused=True)
    named = {name: torch.zeros_like(leaf) if value is None else value
             for name, leaf, value in zip(("grad_dy", "grad_x", "grad_gamma"), (dy, x, gamma), results)}
    # The terms of the sums: about as large as the largest results.
    layer.add("double_backward", named, Scale(largest={name: 20 * value.abs().max().item() for name, value in named.items()}))
    return layer


def ghost_batch_norm(shape, ghost_size, eps=1e-5, momentum=0.1, channels_last=False, dtype=torch.float32, **data):
    """`momentum` None is cumulative."""
    channels, rank = shape[-1] if channels_last else shape[1], len(shape)
    tensors = drawn(shape, channels, dtype=dtype, **data)
    tensors |= running(channels, data.get("mean", 0.0), data.get("std", 1.0), 3)
    words = words_for(eps, channels_last, dtype) + ["--ghost-size", str(ghost_size)]
    words += ["--momentum-form", "cumulative"] if momentum is None else ["--momentum", repr(float32(momentum))]
    layer, eps = Layer("ghost_batch_norm", words, tensors), float32(eps)
    leaves, dy = layer.leaves(channels), tensors["dy"].double()
    x, gamma, beta = first(leaves["x"], channels_last), leaves["gamma"], leaves["beta"]
    after = {name: tensors[name].double() for name in ("running_mean", "running_var")}
    outputs, means, scales, normalized = [], [], [], []
    for index, ghost in enumerate(x.split(ghost_size)):
        weight = 1 / (3 + index + 1) if momentum is None else float32(momentum)
        outputs.append(functional.batch_norm(ghost, after["running_mean"], after["running_var"], gamma, beta, True, weight,
                                             eps))
        mean, var = statistics_of(ghost.detach())
        means.append(pair(mean))
        scales.append((var + eps).rsqrt())
        normalized.append((ghost - over(mean, rank)) * over(scales[-1], rank))
    y = last(torch.cat(outputs), channels_last)
    after["num_batches_tracked"] = tensors["num_batches_tracked"] + len(means)
    scale = measured(torch.cat(normalized), torch.stack(scales), first(dy, channels_last), over(gamma, rank), shared(rank),
                     channels_last)
    layer.add("training", {"y": y, "mean": torch.stack(means), "inv_std": torch.stack(scales), **after,
                           **layer.gradients(y, dy, leaves)}, scale)
    return layer


def batch_renorm(shape, eps=1e-5, momentum=0.01, r_max=3.0, d_max=5.0, variance=False, channels_last=False, off=0.0,
                 dtype=torch.float32, **data):
    """Ioffe 2017, algorithm 1. The moving mean is `off` deviations off."""
    channels, rank = shape[-1] if channels_last else shape[1], len(shape)
    tensors = drawn(shape, channels, dtype=dtype, **data)
    std = data.get("std", 1.0)
    moving = running(channels, data.get("mean", 0.0) + off * std, std, 3)
    tensors["moving_mean"] = moving["running_mean"]
    tensors["moving_deviation"] = moving["running_var"] if variance else moving["running_var"].sqrt()
    tensors["num_batches_tracked"] = moving["num_batches_tracked"]
    words = words_for(eps, channels_last, dtype) + ["--moving", "variance" if variance else "deviation"]
    for name, value in (("momentum", momentum), ("r-max", r_max), ("d-max", d_max)):
        words += ["--" + name, repr(float32(value))]
    layer, eps, weight = Layer("batch_renorm", words, tensors), float32(eps), float32(momentum)
    leaves, dy = layer.leaves(channels), tensors["dy"].double()
    x, gamma, beta = first(leaves["x"], channels_last), leaves["gamma"], leaves["beta"]
    M, moved = tensors["moving_mean"].double(), tensors["moving_deviation"].double()
    S = (moved + eps).sqrt() if variance else moved
    mean, var = statistics_of(x)
    deviation, count = (var + eps).sqrt(), x.numel() / channels
    r = (deviation / S).clamp(1 / float32(r_max), float32(r_max)).detach()
    d = ((mean - M) / S).clamp(-float32(d_max), float32(d_max)).detach()
    corrected = (x - over(mean, rank)) / over(deviation, rank) * over(r, rank) + over(d, rank)
    y = last(over(gamma, rank) * corrected + over(beta, rank), channels_last)
    new = var * count / (count - 1) if variance else deviation
    # r multiplies gradients, r and d the rounding errors of x^; those of d grow with the batch's deviation over S.
    scale = measured(corrected, 1 / deviation, first(dy, channels_last), over(gamma, rank) * over(r, rank).clamp(1.0),
                     shared(rank), channels_last)
    scale = scale._replace(normalized=last(over(gamma, rank) * corrected, channels_last).detach(),
                           gamma=(gamma.abs() * (r.clamp(1.0) + d.abs())).max().item(),
                           largest=scale.largest | {"d": (deviation / S).max().item()})
    layer.add("training", {"y": y, "mean": pair(mean), "inv_std": 1 / deviation, "r": r, "d": d,
                           "moving_mean": M + weight * (mean - M), "moving_deviation": moved + weight * (new - moved),
                           "num_batches_tracked": tensors["num_batches_tracked"] + 1, **layer.gradients(y, dy, leaves)}, scale)
    scale = by_channel(x, M, 1 / S, first(dy, channels_last), gamma, channels_last)
    layer.add("inference", {"y": last(over(gamma, rank) * (x - over(M, rank)) / over(S, rank) + over(beta, rank),
                                      channels_last)}, scale)
    return layer


def fold(shape, eps=1e-5, bias=True, scale=True, shift=True):
    """A linear layer's weight, or a convolution's."""
    channels = shape[0]
    tensors = {"weight": torch.randn(shape), **running(channels)}
    for name, wanted, value in (("bias", bias, torch.randn(channels)), ("gamma", scale, 1 + 0.5 * torch.randn(channels)),
                                ("beta", shift, torch.randn(channels))):
        if wanted:
            tensors[name] = value
    tensors = {name: tensor.float() for name, tensor in tensors.items()}
    layer = Layer("fold_batch_norm", ["--eps", repr(float32(eps))], tensors)
    given = {name: tensor.double() for name, tensor in layer.tensors.items()}
    fuse = fusion.fuse_linear_bn_weights if len(shape) == 2 else fusion.fuse_conv_bn_weights
    weight, folded_bias = fuse(given["weight"], given.get("bias"), given["running_mean"], given["running_var"], float32(eps),
                               given.get("gamma", torch.ones(channels)), given.get("beta", torch.zeros(channels)))
    scaled = folded_bias.detach() - given.get("beta", torch.zeros(channels))
    layer.add("fold", {"folded_weight": weight, "folded_bias": folded_bias}, Scale(scaled))
    return layer
