#!/usr/bin/env python3
"""What torch.nn.SyncBatchNorm gives on several ranks: sync_batch_norm.safetensors. Made with PyTorch 1.13.

Its kernels want CUDA; their formulas, as torch/nn/modules/_functions.py strings them together, are written down here in
float64: every rank measures its shard, statistics are gathered with their counts, and on the way back the sums of dy and of
dy * (x - mean) are added up, while gradients of weight and bias stay those of a rank. A second way is BatchNorm over all
rows by autograd, and both must agree.

Of a case there are x, dy [rows, C, ...], gamma, beta, running_mean, running_var, shards [ranks], hyperparameters [2]
(eps, momentum), and what comes of it, rounded to float32: y, dx of all rows, mean, inv_std, new_running_mean,
new_running_var, and of each rank dgamma, dbeta [ranks, C].
"""
import pathlib

import torch
import torch.nn.functional as functional

import safetensors_file as files
from batch_norm_torch import float32, rounded

CASES = {  # shards, the rest of the shape, eps, momentum, mean, std
    "even": ((4, 4), (3, 2, 2), 1e-5, 0.1, 0.0, 1.0),
    "uneven": ((5, 2), (5,), 1e-3, 0.7, 0.0, 3.0),
    "even_3": ((2, 2, 2), (2, 5), 1e-5, 0.1, 10.0, 1.0),
    "uneven_3": ((5, 1, 3), (4,), 1e-5, 0.3, 1e3, 1.0),
    "one_empty": ((3, 0, 4), (3, 3), 1e-5, 0.1, 0.0, 0.1),
    "one_row_each": ((1, 1), (4,), 1e-3, 1.0, 0.0, 1.0),
}


def over(values, tensor):
    """[C] beside [rows, C, ...]."""
    return values.view(1, -1, *[1] * (tensor.dim() - 2))


def summed(tensor):
    return tensor.transpose(0, 1).flatten(1).sum(1)


def synchronized(data, shards, eps, momentum):
    """SyncBatchNorm's forward and backward, rank by rank."""
    x, dy = data["x"].split(shards), data["dy"].split(shards)
    counts = torch.tensor([float(part.numel() // part.shape[1]) for part in x])
    there = [rank for rank, count in enumerate(counts) if count >= 1]
    # batch_norm_stats
    means = [summed(part) / counts[rank] for rank, part in enumerate(x)]
    inv_stds = [(summed((part - over(means[rank], part)) ** 2) / counts[rank] + eps).rsqrt() for rank, part in enumerate(x)]
    # batch_norm_gather_stats_with_counts
    total, mean = 0, torch.zeros_like(data["gamma"])
    squares = torch.zeros_like(mean)
    for rank in there:
        squares += ((1 / inv_stds[rank]) ** 2 - eps) * counts[rank]
        squares += (mean - means[rank]) ** 2 * counts[rank] * total / (total + counts[rank])
        mean = mean + (means[rank] - mean) * counts[rank] / (total + counts[rank])
        total += counts[rank]
    inv_std = (squares / total + eps).rsqrt()
    results = {"mean": mean, "inv_std": inv_std,
               "new_running_mean": (1 - momentum) * data["running_mean"] + momentum * mean,
               "new_running_var": (1 - momentum) * data["running_var"] + momentum * squares / (total - 1)}
    # batch_norm_elemt, batch_norm_backward_reduce, all_reduce, batch_norm_backward_elemt
    y = [over(data["gamma"], part) * (part - over(mean, part)) * over(inv_std, part) + over(data["beta"], part) for part in x]
    sums_dy = [summed(part) for part in dy]
    sums_dy_xmu = [summed(slope * (part - over(mean, part))) for slope, part in zip(dy, x)]
    mean_dy, mean_dy_xmu = sum(sums_dy) / total, sum(sums_dy_xmu) / total
    dx = [(slope - over(mean_dy, part) - (part - over(mean, part)) * over(inv_std ** 2 * mean_dy_xmu, part))
          * over(inv_std * data["gamma"], part) for slope, part in zip(dy, x)]
    return {**results, "y": torch.cat(y), "dx": torch.cat(dx), "dgamma": torch.stack([part * inv_std for part in sums_dy_xmu]),
            "dbeta": torch.stack(sums_dy)}


def joined(data, shards, eps, momentum):
    """BatchNorm of all rows, with parameters for each rank, so that autograd tells their gradients apart."""
    x = data["x"].clone().requires_grad_()
    gammas, betas = ([data[name].clone().requires_grad_() for _ in shards] for name in ("gamma", "beta"))
    running_mean, running_var = data["running_mean"].clone(), data["running_var"].clone()
    normalized = functional.batch_norm(x, running_mean, running_var, None, None, True, momentum, eps)
    y = torch.cat([part * over(gamma, part) + over(beta, part)
                   for part, gamma, beta in zip(normalized.split(shards), gammas, betas)])
    dx, *parameters = torch.autograd.grad((y * data["dy"]).sum(), [x, *gammas, *betas])
    return {"y": y.detach(), "dx": dx, "dgamma": torch.stack(parameters[:len(shards)]),
            "dbeta": torch.stack(parameters[len(shards):]), "new_running_mean": running_mean, "new_running_var": running_var}


def main():
    torch.manual_seed(20180607)
    torch.set_default_dtype(torch.float64)
    tensors = {}
    for name, (shards, rest, eps, momentum, mean, std) in CASES.items():
        rows, channels = sum(shards), rest[0]
        eps, momentum = float32(eps), float32(momentum)
        given = {"x": mean + std * torch.randn(rows, *rest), "dy": torch.randn(rows, *rest), "gamma": 1 + 0.5 * torch.randn(channels),
                 "beta": torch.randn(channels), "running_mean": mean + torch.randn(channels),
                 "running_var": std ** 2 * (0.5 + torch.rand(channels))}
        given = {tensor: values.float() for tensor, values in given.items()}
        data = {tensor: values.double() for tensor, values in given.items()}
        results, other = synchronized(data, shards, eps, momentum), joined(data, shards, eps, momentum)
        for tensor, values in other.items():
            torch.testing.assert_close(results[tensor], values, rtol=1e-9, atol=1e-9)
        given |= {"shards": torch.tensor(shards, dtype=torch.int32), "hyperparameters": torch.tensor([eps, momentum])}
        for tensor, values in (given | results).items():
            tensors[f"{name}/{tensor}"] = values if values.dtype == torch.int32 else rounded(values)
    files.write(pathlib.Path(__file__).with_name("sync_batch_norm.safetensors"), tensors)


main()
