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

import safetensors_file
from batch_norm_torch import Case


def random_case():
    rank, last = random.randint(2, 5), random.random() < 0.4
    shape = [random.randint(2, 9), random.choice([1, 3, 8, 13, 64])]
    shape += [random.randint(1, {3: 300, 4: 24, 5: 9}[rank]) for _ in range(rank - 2)]
    if last:
        shape.append(shape.pop(1))
    affine = random.choice([(True, True), (True, True), (False, False), (True, False), (False, True)])
    whole = affine[0] == affine[1]
    std = random.choice([1e-2, 1.0, 30.0])
    return Case(shape, last, eps=random.choice([1e-5, 1e-3, 0.5]),
                momentum=random.choice([0.1, 0.9, 0.0, 1.0] + [None] * whole), scale=affine[0], shift=affine[1],
                track=not whole or random.random() < 0.8, mean=random.choice([0, 1, -30, 1e3, 1e4]) * std, std=std,
                batches=random.randint(0, 9))


def bounds(case, results):
    """How far each tensor may be off; see "Tolerances": 4e-6 max(1, |gamma|) forward, 5e-6 of the largest backward."""
    tensors = {name: tensor.double() for name, tensor in case.tensors.items()}
    x, dy = case.channels_first(tensors["x"]), case.channels_first(tensors["dy"])
    axes = [axis for axis in range(x.dim()) if axis != 1]
    spread = lambda values: values.reshape([-1 if axis == 1 else 1 for axis in range(x.dim())])
    gamma = tensors.get("gamma", torch.ones(x.shape[1])).abs()
    beta = tensors.get("beta", torch.zeros(x.shape[1]))
    frozen = "running_mean" in tensors and "inv_std" not in results
    mean = tensors["running_mean"] if frozen else x.mean(axes)
    var = tensors["running_var"] if frozen else x.var(axes, unbiased=False)
    inv_std = (var + case.eps).rsqrt()
    terms = {"dx": dy.abs().max() * (gamma * inv_std).max(), "dbeta": dy.abs().sum(axes).max(),
             "dgamma": (dy * (x - spread(mean)) * spread(inv_std)).abs().sum(axes).max()}
    result = {}
    for name, value in results.items():
        if name == "y":
            distance = (case.channels_first(value) - spread(beta)).abs() / 8
            bound = 4e-6 * torch.maximum(torch.maximum(torch.ones(()), spread(gamma)), distance)
            result[name] = case.as_given(bound) + value.abs() * 2**-24
        elif name in terms:
            result[name] = 5e-6 * value.abs().max() + 2**-22 * terms[name]
        elif name == "mean":
            result[name] = value[0].abs() * 2**-24 + 1e-6 * var.sqrt()
        elif name == "running_mean":
            result[name] = 1e-6 * (value.abs() + tensors[name].abs() + var.sqrt())
        elif name == "num_batches_tracked":
            result[name] = torch.tensor(0.5)
        else:
            result[name] = 2e-6 * (value.abs() + tensors.get(name, torch.zeros(())).abs())
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checker", required=True)
    parser.add_argument("--device", default="")
    parser.add_argument("--cases", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    torch.set_default_dtype(torch.float64)
    worst, compared, failed = (0.0, "nothing"), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = (str(pathlib.Path(folder) / name) for name in ("in.safetensors", "out.safetensors"))
        for _ in range(options.cases):
            case = random_case()
            safetensors_file.write(inputs, case.tensors)
            modes = case.run(True) | (case.run(False) if case.track else {})
            for mode, results in modes.items():
                command = [options.checker, *case.words(mode), "--in", inputs, "--out", outputs, "--device", options.device]
                answer = subprocess.run(command, capture_output=True, text=True, check=False)
                place = f"{' '.join(case.words(mode))} on {list(case.tensors['x'].shape)}"
                if answer.returncode != 0:
                    print(f"FAILED {place}: exit status {answer.returncode}: {answer.stderr}")
                    failed += 1
                    continue
                got = safetensors_file.read(outputs)
                for name, bound in bounds(case, results).items():
                    compared += 1
                    if got[name].shape != results[name].shape:
                        print(f"FAILED {place}: {name}: got shape {list(got[name].shape)}")
                        failed += 1
                        continue
                    error = (got[name].double() - results[name].double()).abs()
                    ratio = (torch.where(error == 0, error, error / bound)).max().item()
                    worst = max(worst, (ratio, f"{mode}.{name}"))
                    if not ratio <= 1:
                        print(f"FAILED {place}: {name}: {ratio:.2f} times the bound")
                        failed += 1
    print(f"worst error/bound  PyTorch live, {compared} tensors of {options.cases} layers: {worst[0]:.2f} in {worst[1]}")
    return 1 if failed else 0


sys.exit(main())
