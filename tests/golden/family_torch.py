"""The norm family by PyTorch in float64, in the words and tensors of vknorm-check.

What PyTorch has is called: batch_norm and its double backward, instance_norm, group_norm, layer_norm, the fusion of
convolution or linear layer with batch normalization. The rest is written down from its equations; every gradient is
autograd's.
"""
import torch
import torch.nn.functional as functional
import torch.nn.utils.fusion as fusion

from batch_norm_torch import Case, float32


class Layer:
    """An operation with its data: float32 (or 16-bit) `tensors`, and by mode the words for it and what it gives.

    `largest` has, for gradients, the size of the terms that their rounding errors are those of; `normalized` is y before
    beta, residual and ReLU; `gamma` the largest factor.
    """

    def __init__(self, operation, words, tensors):
        self.operation, self.common, self.tensors = operation, words, tensors
        self.modes, self.words_of = {}, {}
        self.largest, self.normalized, self.gamma = {}, torch.zeros(()), 1.0

    def add(self, mode, results, words=()):
        self.modes[mode] = {name: value.detach() for name, value in results.items()}
        self.words_of[mode] = ["--op", self.operation, "--mode", mode, *self.common, *words]

    def words(self, mode):
        return self.words_of[mode]

    def leaf(self, name, otherwise=None):
        """In float64, and a variable for autograd."""
        return (self.tensors[name].double() if name in self.tensors else otherwise).requires_grad_()

    def gradients(self, y, dy, leaves):
        """By the names of what they are gradients of; added to what is there."""
        leaves = {name: leaf for name, leaf in leaves.items() if name != "residual" or name in self.tensors}
        results = torch.autograd.grad(y, list(leaves.values()), dy, retain_graph=True)
        named = {"d" + name: gradient for name, gradient in zip(leaves, results)}
        if "dgamma" in self.tensors or "dbeta" in self.tensors:
            for name in ("dgamma", "dbeta"):
                gradient = named.pop(name, None)
                if name in self.tensors:
                    named[name] = gradient + self.tensors[name].double()
        return named

    def measure(self, normalized, inv_std, dy, gamma, axes):
        """What bounds are scaled by; `normalized` is x^, `axes` those that parameters are shared over."""
        self.normalized, self.gamma = (gamma * normalized).detach(), gamma.abs().max().item()
        self.largest = {"dx": (dy.abs().max() * gamma.abs().max() * inv_std.max()).item(),
                        "dgamma": (dy * normalized).abs().sum(axes).max().item(),
                        "dbeta": dy.abs().sum(axes).max().item()}


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
    eps = float32(eps)
    x, gamma, beta = layer.leaf("x"), layer.leaf("gamma", torch.ones(channels)), layer.leaf("beta", torch.zeros(channels))
    x_first, dy = first(x, channels_last), layer.tensors["dy"].double()
    y = last(functional.group_norm(x_first, groups, gamma, beta, eps), channels_last)
    grouped = x_first.detach().reshape(shape[0], groups, -1)
    mean, inv_std = grouped.mean(-1), (grouped.var(-1, unbiased=False) + eps).rsqrt()
    normalized = ((grouped - mean[..., None]) * inv_std[..., None]).reshape(x_first.shape)
    axes = [axis for axis in range(x_first.dim()) if axis != 1]
    layer.measure(normalized, inv_std, first(dy, channels_last), over(gamma, x_first.dim()), axes)
    layer.normalized = last(layer.normalized, channels_last)
    layer.add("forward", {"y": y, "mean": pair(mean), "inv_std": inv_std,
                          **layer.gradients(y, dy, {"x": x, "gamma": gamma, "beta": beta})})
    return layer


def layer_norm(shape, dimensions=1, rms=False, eps=1e-5, dtype=torch.float32, **data):
    parameters = shape[len(shape) - dimensions:]
    tensors = drawn(shape, parameters, dtype=dtype, **{"shift": not rms, **data})
    if rms:
        tensors.pop("dbeta", None)
    layer = Layer("rms_norm" if rms else "layer_norm",
                  words_for(eps, dtype=dtype) + ["--normalized-dimensions", str(dimensions)], tensors)
    eps, axes = float32(eps), list(range(len(shape) - dimensions, len(shape)))
    x, gamma, dy = layer.leaf("x"), layer.leaf("gamma", torch.ones(parameters)), tensors["dy"].double()
    leaves = {"x": x, "gamma": gamma}
    mean = torch.zeros(()) if rms else x.detach().mean(axes, keepdim=True)
    inv_std = ((x - mean).square().mean(axes, keepdim=True) + eps).rsqrt()
    if rms:
        y = x * inv_std * gamma
        saved = {"inv_rms": inv_std.flatten(-dimensions).squeeze(-1)}
    else:
        leaves["beta"] = layer.leaf("beta", torch.zeros(parameters))
        y = functional.layer_norm(x, parameters, gamma, leaves["beta"], eps)
        saved = {"mean": pair(mean.flatten(-dimensions).squeeze(-1)), "inv_std": inv_std.flatten(-dimensions).squeeze(-1)}
    layer.measure(((x - mean) * inv_std).detach(), inv_std.detach(), dy, gamma.detach(),
                  list(range(len(shape) - dimensions)))
    layer.add("forward", {"y": y, **saved, **layer.gradients(y, dy, leaves)})
    return layer


def instance_norm(shape, eps=1e-5, momentum=0.1, channels_last=False, track=True, dtype=torch.float32, **data):
    channels = shape[-1] if channels_last else shape[1]
    tensors = drawn(shape, channels, dtype=dtype, **data)
    if track:
        tensors |= running(channels, data.get("mean", 0.0), data.get("std", 1.0))
    words = words_for(eps, channels_last, dtype) + ["--momentum", repr(float32(momentum))]
    layer, eps = Layer("instance_norm", words, tensors), float32(eps)
    x, gamma, beta = layer.leaf("x"), layer.leaf("gamma", torch.ones(channels)), layer.leaf("beta", torch.zeros(channels))
    leaves = {"x": x, "gamma": gamma, "beta": beta}
    x_first, dy = first(x, channels_last), tensors["dy"].double()
    statistics = {name: tensors[name].double() for name in ("running_mean", "running_var") if track}
    after = {name: value.clone() for name, value in statistics.items()}
    y = last(functional.instance_norm(x_first, after.get("running_mean"), after.get("running_var"), gamma, beta, True,
                                      float32(momentum), eps), channels_last)
    flat = x_first.detach().flatten(2)
    mean, inv_std = flat.mean(-1), (flat.var(-1, unbiased=False) + eps).rsqrt()
    rank, axes = x_first.dim(), [axis for axis in range(x_first.dim()) if axis != 1]
    spread = lambda values: values.reshape(values.shape + (1,) * (rank - 2))
    layer.measure((x_first.detach() - spread(mean)) * spread(inv_std), inv_std, first(dy, channels_last),
                  over(gamma.detach(), rank), axes)
    layer.normalized = last(layer.normalized, channels_last)
    layer.add("training", {"y": y, "mean": pair(mean), "inv_std": inv_std, **after, **layer.gradients(y, dy, leaves)})
    if track:
        y = last(functional.instance_norm(x_first, statistics["running_mean"], statistics["running_var"], gamma, beta, False,
                                          0.0, eps), channels_last)
        layer.add("inference", {"y": y})
        layer.add("backward_frozen", layer.gradients(y, dy, leaves))
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
    channels = shape[-1] if channels_last else shape[1]
    words = words_for(eps, channels_last, dtype) + ["--momentum", repr(float32(momentum)), "--relu", relu]
    words += ["--per-activation", "on"] if per_activation else []
    mean, std = data.get("mean", 0.0), data.get("std", 1.0)
    while True:
        tensors = drawn(shape, channels, dtype=dtype, **data) | running(channels, mean, std, 3)
        layer = Layer("batch_norm", words, tensors)
        x, residual = layer.leaf("x"), layer.leaf("residual", torch.zeros(shape))
        gamma, beta = layer.leaf("gamma", torch.ones(channels)), layer.leaf("beta", torch.zeros(channels))
        x_first, rank, dy = first(x, channels_last), len(shape), tensors["dy"].double()
        valid = None
        if masked:
            valid = torch.rand([shape[0], *x_first.shape[2:]]) < 0.7
            tensors["valid"] = valid.int()
        keep = torch.ones_like(x_first) if valid is None else valid.unsqueeze(1).double()
        before = {name: tensors[name].double() for name in ("running_mean", "running_var")}
        shown = last(keep, channels_last)

        def apply(mean, var):
            normalized = (x_first - over(mean, rank)) * over(var + float32(eps), rank).rsqrt()
            linear = last(over(gamma, rank) * normalized + over(beta, rank), channels_last) + residual
            return normalized, linear

        mean_now, var_now = statistics_of(x_first, valid)
        if masked:
            normalized, linear = apply(mean_now, var_now)
        else:
            linear = last(functional.batch_norm(x_first, None, None, gamma, beta, True, 0.0, float32(eps)), channels_last)
            linear, normalized = linear + residual, apply(mean_now, var_now)[0]
        frozen = last(functional.batch_norm(x_first, before["running_mean"], before["running_var"], gamma, beta, False, 0.0,
                                            float32(eps)), channels_last) + residual
        # No decision of the ReLU is left to rounding errors.
        if relu == "none" or min(linear.detach().abs().min(), frozen.detach().abs().min()) > 2e-5:
            break
    leaves = {"x": x, "gamma": gamma, "beta": beta, "residual": residual}
    result = functional.relu if relu != "none" else (lambda values: values)
    mask = lambda values: {"relu_mask": packed(first(values > 0, channels_last) & (keep > 0))} if relu == "mask" else {}
    y = result(linear) * shown
    count = keep.expand_as(x_first)[:, 0].sum()
    weight = float32(momentum)
    after = {"running_mean": (1 - weight) * before["running_mean"] + weight * mean_now,
             "running_var": (1 - weight) * before["running_var"] + weight * var_now * count / (count - 1),
             "num_batches_tracked": tensors["num_batches_tracked"] + 1}
    axes = [axis for axis in range(rank) if axis != 1]
    layer.measure((normalized * keep).detach(), (var_now + float32(eps)).rsqrt().detach(), first(dy * shown, channels_last),
                  over(gamma.detach(), rank), axes)
    layer.normalized = last(layer.normalized, channels_last)
    if masked:  # what is left out is never looked at
        layer.tensors["x"] = torch.where(shown > 0, tensors["x"], torch.full_like(tensors["x"], float("nan")))
    gradients = layer.gradients(y, dy, leaves)
    layer.add("training", {"y": y, "mean": pair(mean_now), "inv_std": (var_now + float32(eps)).rsqrt(), **after, **gradients,
                           **mask(linear), **({"count": count.int().reshape(1)} if masked else {})})
    layer.add("backward", gradients)
    if not masked:
        y = result(frozen)
        layer.add("inference", {"y": y, **mask(frozen)})
        layer.add("backward_frozen", layer.gradients(y, dy, leaves))
    for name in ("x", "dy", "residual"):
        if per_activation and name in tensors:
            tensors[name] = tensors[name].reshape(whole)
    if per_activation:
        for results in layer.modes.values():
            for name in ("y", "dx", "dresidual"):
                if name in results:
                    results[name] = results[name].reshape(whole)
    return layer


def double_backward(shape, eps=1e-5, channels_last=False, given=("ddx", "ddgamma", "ddbeta"), **data):
    channels = shape[-1] if channels_last else shape[1]
    tensors = drawn(shape, channels, **{**data, "shift": False})
    layer, eps = Layer("batch_norm", words_for(eps, channels_last), tensors), float32(eps)
    for name, size in (("ddx", shape), ("ddgamma", channels), ("ddbeta", channels)):
        if name in given:
            layer.tensors[name] = (0.25 + torch.randn(size)).float()
    x, dy, gamma = layer.leaf("x"), layer.leaf("dy"), layer.leaf("gamma", torch.ones(channels))
    beta = torch.zeros(channels).requires_grad_()
    y = last(functional.batch_norm(first(x, channels_last), None, None, gamma, beta, True, 0.0, eps), channels_last)
    gradients = torch.autograd.grad(y, [x, gamma, beta], dy, create_graph=True)
    loss = sum((gradient * layer.tensors[name].double()).sum()
               for name, gradient in zip(("ddx", "ddgamma", "ddbeta"), gradients) if name in given)
    results = torch.autograd.grad(loss, [dy, x, gamma], allow_unused=True)
    named = {name: torch.zeros_like(leaf) if value is None else value
             for name, leaf, value in zip(("grad_dy", "grad_x", "grad_gamma"), (dy, x, gamma), results)}
    # The terms of its sums are at most about as large as the largest sums.
    layer.largest = {name: value.abs().max().item() for name, value in named.items()}
    layer.add("double_backward", named)
    return layer


def ghost_batch_norm(shape, ghost_size, eps=1e-5, momentum=0.1, channels_last=False, dtype=torch.float32, **data):
    """`momentum` None is cumulative."""
    channels = shape[-1] if channels_last else shape[1]
    tensors = drawn(shape, channels, dtype=dtype, **data) | running(channels, data.get("mean", 0.0), data.get("std", 1.0), 3)
    words = words_for(eps, channels_last, dtype) + ["--ghost-size", str(ghost_size)]
    words += ["--momentum-form", "cumulative"] if momentum is None else ["--momentum", repr(float32(momentum))]
    layer, eps = Layer("ghost_batch_norm", words, tensors), float32(eps)
    x, gamma, beta = layer.leaf("x"), layer.leaf("gamma", torch.ones(channels)), layer.leaf("beta", torch.zeros(channels))
    leaves = {"x": x, "gamma": gamma, "beta": beta}
    x_first, dy, rank = first(x, channels_last), tensors["dy"].double(), len(shape)
    after = {name: tensors[name].double() for name in ("running_mean", "running_var")}
    outputs, means, scales, normalized = [], [], [], []
    ghosts = x_first.split(ghost_size)
    for index, ghost in enumerate(ghosts):
        weight = 1 / (3 + index + 1) if momentum is None else float32(momentum)
        outputs.append(functional.batch_norm(ghost, after["running_mean"], after["running_var"], gamma, beta, True,
                                             weight, eps))
        mean, var = statistics_of(ghost.detach())
        means.append(pair(mean))
        scales.append((var + eps).rsqrt())
        normalized.append((ghost.detach() - over(mean, rank)) * over(scales[-1], rank))
    y = last(torch.cat(outputs), channels_last)
    layer.measure(torch.cat(normalized), torch.stack(scales), first(dy, channels_last), over(gamma.detach(), rank),
                  [axis for axis in range(rank) if axis != 1])
    layer.normalized = last(layer.normalized, channels_last)
    after["num_batches_tracked"] = tensors["num_batches_tracked"] + len(ghosts)
    layer.add("training", {"y": y, "mean": torch.stack(means), "inv_std": torch.stack(scales), **after,
                           **layer.gradients(y, dy, leaves)})
    return layer


def batch_renorm(shape, eps=1e-5, momentum=0.01, r_max=3.0, d_max=5.0, variance=False, channels_last=False, off=0.0,
                 dtype=torch.float32, **data):
    """Ioffe 2017, algorithm 1. The moving mean is `off` deviations off."""
    channels = shape[-1] if channels_last else shape[1]
    tensors = drawn(shape, channels, dtype=dtype, **data)
    moving = running(channels, data.get("mean", 0.0) + off * data.get("std", 1.0), data.get("std", 1.0), 3)
    tensors["moving_mean"] = moving["running_mean"]
    tensors["moving_deviation"] = moving["running_var"] if variance else moving["running_var"].sqrt()
    tensors["num_batches_tracked"] = moving["num_batches_tracked"]
    words = words_for(eps, channels_last, dtype) + ["--moving", "variance" if variance else "deviation"]
    for name, value in (("momentum", momentum), ("r-max", r_max), ("d-max", d_max)):
        words += ["--" + name, repr(float32(value))]
    layer, eps, weight, rank = Layer("batch_renorm", words, tensors), float32(eps), float32(momentum), len(shape)
    x, gamma, beta = layer.leaf("x"), layer.leaf("gamma", torch.ones(channels)), layer.leaf("beta", torch.zeros(channels))
    leaves = {"x": x, "gamma": gamma, "beta": beta}
    x_first, dy = first(x, channels_last), tensors["dy"].double()
    before = {name: tensors[name].double() for name in ("moving_mean", "moving_deviation")}
    S = (before["moving_deviation"] + eps).sqrt() if variance else before["moving_deviation"]
    mean, var = statistics_of(x_first)
    deviation, count = (var + eps).sqrt(), x.numel() / channels
    r = (deviation / S).clamp(1 / float32(r_max), float32(r_max)).detach()
    d = ((mean - before["moving_mean"]) / S).clamp(-float32(d_max), float32(d_max)).detach()
    normalized = (x_first - over(mean, rank)) / over(deviation, rank)
    corrected = normalized * over(r, rank) + over(d, rank)
    y = last(over(gamma, rank) * corrected + over(beta, rank), channels_last)
    after = {"moving_mean": before["moving_mean"] + weight * (mean - before["moving_mean"]),
             "moving_deviation": before["moving_deviation"] +
             weight * ((var * count / (count - 1) if variance else deviation) - before["moving_deviation"])}
    layer.measure(corrected.detach(), (1 / deviation).detach(), first(dy, channels_last),
                  over((gamma * r.clamp(1.0)).detach(), rank), [axis for axis in range(rank) if axis != 1])
    layer.normalized = last(over(gamma, rank) * corrected, channels_last).detach()
    layer.gamma *= 1 + d.abs().max().item()
    layer.add("training", {"y": y, "mean": pair(mean), "inv_std": 1 / deviation, "r": r, "d": d, **after,
                           "num_batches_tracked": tensors["num_batches_tracked"] + 1, **layer.gradients(y, dy, leaves)})
    normalized = (x_first - over(before["moving_mean"], rank)) / over(S, rank)
    layer.add("inference", {"y": last(over(gamma, rank) * normalized + over(beta, rank), channels_last)})
    return layer


def stages(parts, gather="merge", **data):
    """What batch normalization of the whole gives."""
    case = Case(**data)
    layer = Layer("batch_norm_stages", [], case.tensors)
    words = case.words("training")[4:] + ["--parts", str(parts), "--gather", gather]
    results = case.run(True)["training"]
    layer.add("training", results, words)
    x, dy = (case.channels_first(case.tensors[name].double()) for name in ("x", "dy"))
    mean, var = statistics_of(x)
    inv_std, rank = (var + case.eps).rsqrt(), x.dim()
    gamma = case.tensors.get("gamma", torch.ones(x.shape[1])).double()
    layer.measure((x - over(mean, rank)) * over(inv_std, rank), inv_std, dy, over(gamma, rank),
                  [axis for axis in range(rank) if axis != 1])
    layer.normalized = last(layer.normalized, case.channels_last)
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
    layer.add("fold", {"folded_weight": weight, "folded_bias": folded_bias})
    layer.normalized = folded_bias.detach() - given.get("beta", torch.zeros(channels))
    return layer
