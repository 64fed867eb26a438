#!/usr/bin/env python3
"""Random layers through vknorm-check and through PyTorch in float64: the results must agree.

    compare_live.py --checker build/release/bin/vknorm-check [--device NAME] [--cases N] [--seed N]

Skipped, and saying so, where this Python has no torch.
"""
import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("[  SKIPPED ] PyTorch.Live: this python3 cannot import torch (0 ms)")
    sys.exit(0)

import family_torch as family
import maps_torch as maps
import safetensors_file


def random_shape(rank, largest=None):
    """(N, C, ...)."""
    shape = [random.randint(2, 9), random.choice([1, 3, 8, 13, 64])]
    return shape + [random.randint(1, (largest or {3: 300, 4: 24, 5: 9})[rank]) for _ in range(rank - 2)]


def random_data(std=None):
    """What every operation may be given."""
    std = std or random.choice([1e-2, 1.0, 30.0])
    affine = random.choice([(True, True), (True, True), (False, False), (True, False), (False, True)])
    return {"mean": random.choice([0, 1, -30, 1e3, 1e4]) * std, "std": std, "scale": affine[0], "shift": affine[1]}


def random_options():
    """Numbers of 16 bits come without a large mean, which they cannot hold."""
    data = random_data()
    dtype = random.choice([torch.float32, torch.float32, torch.float16, torch.bfloat16])
    if dtype != torch.float32:
        data |= {"mean": random.choice([0.0, 1.0]), "std": 1.0}
    return {**data, "dtype": dtype, "accumulate": random.random() < 0.3, "eps": random.choice([1e-5, 1e-3, 0.5])}


def with_layout(shape):
    """Keyword arguments for a shape, its channels first or last."""
    last = random.random() < 0.4
    return {"shape": tuple([shape[0], *shape[2:], shape[1]] if last else shape), "channels_last": last}


def plain_batch_norm():
    data = random_data()
    whole = data["scale"] == data["shift"]
    return {**with_layout(random_shape(random.randint(2, 5))), **data, "eps": random.choice([1e-5, 1e-3, 0.5]),
            "momentum": random.choice([0.1, 0.9, 0.0, 1.0] + [None] * whole),
            "track": not whole or random.random() < 0.8, "batches": random.randint(0, 9)}


def surrounded_batch_norm():
    relu, residual, masked = random.choice(["none", "recomputed", "mask"]), random.random() < 0.5, random.random() < 0.3
    alone = random.random() < 0.2
    shape = random_shape(random.randint(2, 4), {3: 60, 4: 12})
    return family.batch_norm(**with_layout(shape), **random_options(), relu="mask" if residual and relu != "none" else relu,
                             residual=residual, masked=masked and not alone, per_activation=alone)


def group_norm():
    shape = random_shape(random.randint(3, 5))
    groups = random.choice([groups for groups in range(1, shape[1] + 1) if shape[1] % groups == 0])
    if shape[1] // groups == 1 and torch.Size(shape[2:]).numel() == 1:
        shape[2] = 2
    return family.group_norm(**with_layout(shape), groups=groups, **random_options())


def rows(rms):
    rank = random.randint(2, 4)
    shape = [random.randint(1, 12) for _ in range(rank - 1)] + [random.randint(2, 400)]
    options = random_options()
    if rms:
        options.pop("shift")
    return family.layer_norm(tuple(shape), random.randint(1, rank - 1), rms, **options)


def instance_norm():
    shape = random_shape(random.randint(3, 5))
    shape[2] = max(shape[2], 2)
    return family.instance_norm(**with_layout(shape), **random_options(), momentum=random.random(),
                                track=random.random() < 0.7)


def batch_renorm():
    return family.batch_renorm(**with_layout(random_shape(random.randint(2, 4))), **random_options(), momentum=random.random(),
                               r_max=random.choice([1.0, 1.5, 3.0]), d_max=random.choice([0.0, 0.5, 5.0]),
                               variance=random.random() < 0.5, off=random.choice([0.0, 1.0]))


def ghost_batch_norm():
    shape = random_shape(random.randint(2, 4))
    size = random.choice([size for size in range(2, 12) if shape[0] % size != 1])
    return family.ghost_batch_norm(**with_layout(shape), **random_options(), ghost_size=size,
                                   momentum=random.choice([0.1, 1.0, None]))


def double_backward():
    data = random_data()
    names = ["ddx", "ddgamma", "ddbeta"]
    return family.double_backward(**with_layout(random_shape(random.randint(2, 4))), **data,
                                  given=random.sample(names, random.randint(1, 3)))


def random_maps():
    """(N, C, H, W)."""
    return [random.randint(1, 5), random.choice([1, 3, 8, 13, 16]), random.randint(5, 17), random.randint(5, 17)]


def convolution():
    kernel = random.choice([1, 2, 3, 3, 5])
    return maps.conv2d(random_maps(), random.choice([1, 3, 8, 13, 16, 32]), kernel, stride=random.choice([1, 1, 2, 3]),
                       padding=random.randint(0, 2), dilation=random.choice([1, 1, 2]) if kernel < 5 else 1,
                       bias=random.random() < 0.5)


def pooling(layer, *which):
    kernel = random.randint(1, 4)
    return layer(random_maps(), kernel, random.randint(1, 4), random.randint(0, kernel // 2), *which)


KINDS = [
    lambda: family.plain_batch_norm(**plain_batch_norm()),
    surrounded_batch_norm,
    group_norm,
    instance_norm,
    lambda: rows(False),
    lambda: rows(True),
    batch_renorm,
    ghost_batch_norm,
    lambda: family.stages(random.randint(1, 12), random.choice(["merge", "accumulate"]), **plain_batch_norm()),
    double_backward,
    lambda: family.fold([random.randint(1, 70) for _ in range(random.randint(2, 4))], random.choice([1e-5, 1e-3]),
                        *(random.random() < 0.7 for _ in range(3))),
    convolution,
    lambda: pooling(maps.max_pool2d, 1, random.random() < 0.5),
    lambda: pooling(maps.average_pool2d, random.random() < 0.5),
    lambda: maps.adaptive_average_pool2d(random_maps(), (random.randint(1, 9), random.randint(1, 9))),
]
HALF_ULP = {torch.float32: 0.0, torch.float16: 2**-11, torch.bfloat16: 2**-8}


def bound(layer, mode, name, value):
    """How far a tensor may be off; see "Tolerances": 4e-6 max(1, |gamma|) forward, 5e-6 of the largest backward."""
    scale, size = layer.scales[mode], value.abs()
    if name in scale.bounds:
        return scale.bounds[name]
    before = layer.tensors[name].double().abs() if name in layer.tensors else torch.zeros(())
    stored = HALF_ULP[layer.tensors["x"].dtype] if "x" in layer.tensors else 0.0
    if name == "y":
        factor = torch.maximum(torch.tensor(max(1.0, scale.gamma)), scale.normalized.abs() / 8)
        exact = 4e-6 * factor + (size + scale.normalized.abs()) * 2**-23
        return exact + (size + exact) * stored
    if name in ("dx", "dgamma", "dbeta") or name.startswith("grad_"):
        exact = 5e-6 * size.max() + 2**-22 * scale.largest[name] + size * 2**-24
        return exact + ((size + exact) * stored if name == "dx" else 0)
    if name == "folded_bias":
        return 1e-6 * scale.normalized.abs() + size * 2**-24
    if name in ("dresidual", "num_batches_tracked", "relu_mask", "count"):
        return torch.tensor(1e-30)
    if name == "d":
        return 4e-6 * size.clamp(1.0) + 2e-6 * scale.largest["d"]
    if name == "mean":  # a sum of two float32
        return 1e-6 * scale.deviation + size * 2**-44
    if name in ("running_mean", "moving_mean"):
        return 1e-6 * (scale.deviation + before + size)
    return 4e-6 * size if name == "r" else 2e-6 * (size + before)


class Comparison:
    def __init__(self, options, folder):
        self.options = options
        self.inputs, self.outputs = (str(pathlib.Path(folder) / name) for name in ("in.safetensors", "out.safetensors"))
        self.worst, self.compared, self.failed, self.skips = {}, 0, 0, {}

    def fail(self, place, what):
        print(f"FAILED {place}: {what}")
        self.failed += 1

    def run(self, layer, mode):
        safetensors_file.write(self.inputs, layer.tensors)
        words = layer.words(mode)
        command = [self.options.checker, *words, "--in", self.inputs, "--out", self.outputs, "--force", "--device", self.options.device]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        place = f"{' '.join(words)} on {list(next(iter(layer.tensors.values())).shape)}"
        if answer.returncode != 0:
            self.fail(place, f"exit status {answer.returncode}: {answer.stderr}")
            return
        if "SKIPPED" in answer.stdout:
            reason = answer.stdout.split("SKIPPED 1: ")[1].strip()
            self.skips[reason] = self.skips.get(reason, 0) + 1
            return
        got = safetensors_file.read(self.outputs)
        for name, value in layer.modes[mode].items():
            self.compared += 1
            if got[name].shape != value.shape:
                self.fail(place, f"{name}: got shape {list(got[name].shape)}")
                continue
            value, result = value.double(), got[name].double()
            if name == "mean":
                halves = 1 if layer.operation == "ghost_batch_norm" else 0
                value, result = value.sum(halves), result.sum(halves)
            error = (result - value).abs()
            ratio = torch.where(error == 0, error, error / bound(layer, mode, name, value)).max().item()
            bits = 8 * layer.tensors["x"].element_size() if "x" in layer.tensors else 32
            self.worst[bits] = max(self.worst.get(bits, (0.0, "")), (ratio, f"{layer.operation} {mode} {name}"))
            if not ratio <= 1:
                self.fail(place, f"{name}: {ratio:.2f} times the bound")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checker", required=True)
    parser.add_argument("--device", default="")
    parser.add_argument("--cases", type=int, default=2 * len(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    torch.set_default_dtype(torch.float64)
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(options, folder)
        for index in range(options.cases):
            layer = KINDS[index % len(KINDS)]()
            for mode in layer.modes:
                comparison.run(layer, mode)
    for reason, count in comparison.skips.items():
        print(f"{count} calls skipped: {reason}")
    worst = ", ".join(f"{ratio:.2f} in {name} ({bits} bits)" for bits, (ratio, name) in sorted(comparison.worst.items()))
    print(f"worst error/bound  PyTorch live, {comparison.compared} tensors of {options.cases} layers: {worst}")
    return 1 if comparison.failed else 0


sys.exit(main())
