#!/usr/bin/env python3
"""Writes batch_norm.safetensors: batch normalization by PyTorch (1.13) in float64 on float32 inputs, rounded to float32.

A case's inputs are "<case>/<tensor>"; what a mode gives is "<case>/<mode>/<tensor>", and the metadata "<case>/<mode>"
are the words of vknorm-check for it. The cases follow PyTorch's own tests of its modules and of its operators.
"""
import pathlib

import torch

import safetensors_file
from batch_norm_torch import Case, rounded

torch.manual_seed(20150211)
torch.set_default_dtype(torch.float64)

CASES = {
    # Modules, as torch.testing._internal.common_nn and common_modules construct them.
    "1d": Case((4, 10)),
    "1d_affine_eps": Case((4, 10), eps=1e-3, momentum=0.3),
    "1d_length": Case((4, 5, 3)),
    "1d_length_cumulative": Case((4, 5, 3), eps=1e-3, momentum=None),
    "1d_cumulative_first": Case((4, 10), momentum=None, batches=0),
    "1d_not_affine": Case((4, 10), scale=False, shift=False),
    "1d_length_not_affine": Case((4, 5, 3), scale=False, shift=False),
    "1d_not_tracking": Case((4, 10), track=False),
    "2d": Case((2, 3, 6, 6)),
    "2d_simple_average": Case((2, 3, 6, 6), eps=1e-3, momentum=None),
    "2d_momentum": Case((2, 3, 6, 6), eps=1e-3, momentum=0.8),
    "2d_not_affine": Case((2, 3, 6, 6), eps=1e-3, momentum=0.8, scale=False, shift=False),
    "2d_not_tracking": Case((2, 3, 6, 6), eps=1e-3, momentum=0.8, track=False),
    "3d": Case((2, 3, 4, 4, 4)),
    "3d_momentum": Case((2, 3, 4, 4, 4), eps=1e-3, momentum=0.7),
    "3d_not_affine": Case((2, 3, 3, 2, 4), scale=False, shift=False),
    # Operators, as torch.testing._internal.common_methods_invocations samples them, with momenta in [0, 1].
    "op_large_eps": Case((5, 5, 5), eps=0.6, momentum=0.5),
    "op_momentum_0": Case((3, 2, 4), momentum=0.0),
    "op_momentum_1": Case((3, 2, 3, 4), eps=0.5, momentum=1.0),
    "op_one_channel": Case((3, 1), momentum=0.0),
    "op_two_values": Case((2, 1)),
    "op_scale_only": Case((3, 2, 4), shift=False),
    "op_shift_only": Case((3, 2, 4), scale=False),
    "op_bare": Case((3, 4, 5), scale=False, shift=False, track=False),
    # Channels last.
    "last_length": Case((4, 3, 5), channels_last=True),
    "last_2d": Case((2, 5, 4, 7), channels_last=True),
    "last_2d_not_affine": Case((2, 4, 4, 3), channels_last=True, scale=False, shift=False),
    "last_3d": Case((2, 2, 3, 4, 5), channels_last=True, momentum=None),
    # Data that hurts.
    "mean_1e3": Case((4, 3, 5, 5), mean=1e3),
    "mean_1e4": Case((4, 3, 5, 5), mean=-1e4),
    "mean_1e4_last": Case((4, 5, 5, 3), channels_last=True, mean=1e4),
    "mean_1e2_std_1e-2": Case((4, 3, 5, 5), mean=1e2, std=1e-2),
    "std_1e-4": Case((4, 3, 5, 5), std=1e-4),
    "std_1e4": Case((4, 3, 5, 5), std=1e4),
    "two_images": Case((2, 13)),
    "many_values": Case((2, 1, 31, 17)),
    "many_channels": Case((3, 67)),
}

tensors, words = {}, {}
for name, case in CASES.items():
    for tensor, value in case.tensors.items():
        tensors[f"{name}/{tensor}"] = value
    for training in (True, False) if case.track else (True,):
        for mode, results in case.run(training).items():
            words[f"{name}/{mode}"] = " ".join(case.words(mode))
            for tensor, value in results.items():
                tensors[f"{name}/{mode}/{tensor}"] = rounded(value)

safetensors_file.write(pathlib.Path(__file__).with_name("batch_norm.safetensors"), tensors, words)
