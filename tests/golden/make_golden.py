#!/usr/bin/env python3
"""Writes batch_norm.safetensors, family.safetensors and maps.safetensors: PyTorch (1.13) in float64 on float32 inputs, rounded to float32.

A case's inputs are "<case>/<tensor>"; what a mode gives is "<case>/<mode>/<tensor>", and the metadata "<case>/<mode>"
are the words of vknorm-check for it. The cases follow PyTorch's own tests of its modules and of its operators.
"""
import pathlib

import torch

import family_torch as family
import maps_torch as maps
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

FAMILY = {
    # What may surround batch normalization.
    "bn_relu": family.batch_norm((2, 3, 4, 5), relu="recomputed"),
    "bn_relu_mask": family.batch_norm((3, 5, 7), relu="mask", channels_last=True),
    "bn_relu_bare": family.batch_norm((4, 3, 9), relu="mask", scale=False, shift=False),
    "bn_residual": family.batch_norm((2, 3, 5, 4), residual=True),
    "bn_residual_relu": family.batch_norm((2, 3, 5, 7), relu="mask", residual=True),
    "bn_residual_relu_last": family.batch_norm((2, 4, 3, 5), relu="mask", residual=True, channels_last=True, momentum=0.5),
    "bn_masked": family.batch_norm((3, 4, 11), masked=True),
    "bn_masked_last": family.batch_norm((3, 5, 2, 4), masked=True, channels_last=True, mean=100.0),
    "bn_masked_rows": family.batch_norm((17, 5), masked=True),
    "bn_masked_residual_relu": family.batch_norm((3, 2, 13), masked=True, relu="mask", residual=True),
    "bn_accumulated": family.batch_norm((3, 4, 5), accumulate=True),
    "bn_accumulated_relu": family.batch_norm((3, 4, 5), accumulate=True, relu="recomputed"),
    "bn_per_activation": family.batch_norm((5, 2, 3, 2), per_activation=True),
    "bn_per_activation_relu": family.batch_norm((7, 2, 3), per_activation=True, relu="mask", residual=True),
    # Its gradient's gradient.
    "double": family.double_backward((4, 3, 5)),
    "double_last": family.double_backward((2, 3, 4, 5), channels_last=True, eps=1e-3),
    "double_of_dx": family.double_backward((6, 7), given=("ddx",)),
    "double_of_parameters": family.double_backward((3, 2, 4), given=("ddgamma", "ddbeta")),
    "double_bare": family.double_backward((3, 4, 5), scale=False),
    "double_mean_1e3": family.double_backward((3, 2, 7), mean=1e3),
    # Groups, as torch.testing._internal.common_nn constructs them, instances, rows.
    "group": family.group_norm((4, 6, 5), 3, eps=1e-3),
    "group_1d": family.group_norm((4, 10), 5, std=3.0),
    "group_one": family.group_norm((4, 5), 1, eps=1e-3),
    "group_not_affine": family.group_norm((4, 5, 4), 1, scale=False, shift=False),
    "group_2d": family.group_norm((4, 6, 2, 3), 3),
    "group_2d_not_affine": family.group_norm((4, 6, 2, 3), 3, scale=False, shift=False),
    "group_3d_last": family.group_norm((2, 2, 3, 4, 6), 2, channels_last=True),
    "group_last_mean_1e3": family.group_norm((2, 5, 5, 8), 4, channels_last=True, mean=1e3),
    "group_accumulated": family.group_norm((3, 4, 5), 2, accumulate=True),
    "group_scale_only": family.group_norm((3, 4, 7), 2, shift=False),
    "instance_1d": family.instance_norm((4, 5, 3), eps=1e-3, momentum=0.3),
    "instance_2d": family.instance_norm((2, 3, 6, 6), eps=1e-3, momentum=0.8),
    "instance_3d": family.instance_norm((2, 3, 4, 4, 4), eps=1e-3, momentum=0.7),
    "instance_not_tracking": family.instance_norm((2, 3, 6, 5), track=False),
    "instance_not_affine": family.instance_norm((2, 3, 5, 4), scale=False, shift=False),
    "instance_last": family.instance_norm((3, 4, 5, 3), channels_last=True, accumulate=True),
    "instance_mean_1e4": family.instance_norm((2, 3, 7, 7), mean=-1e4),
    "layer_1d": family.layer_norm((4, 5, 5), eps=1e-3),
    "layer_two": family.layer_norm((4, 5, 3), 2, eps=1e-3),
    "layer_all": family.layer_norm((2, 3, 4), 3),
    "layer_not_affine": family.layer_norm((4, 13), scale=False, shift=False),
    "layer_scale_only": family.layer_norm((2, 7, 9), shift=False),
    "layer_long": family.layer_norm((3, 257)),
    "layer_mean_1e4": family.layer_norm((5, 31), mean=1e4),
    "layer_accumulated": family.layer_norm((6, 5), accumulate=True),
    "rms": family.layer_norm((4, 5, 5), rms=True),
    "rms_two": family.layer_norm((4, 5, 3), 2, rms=True, eps=0.1),
    "rms_bare": family.layer_norm((3, 65), rms=True, scale=False),
    "rms_mean": family.layer_norm((5, 33), rms=True, mean=10.0),
    "rms_accumulated": family.layer_norm((6, 5), rms=True, accumulate=True),
    # Other statistics of batches.
    "renorm": family.batch_renorm((4, 3, 5), off=1.0),
    "renorm_clamped": family.batch_renorm((4, 3, 5, 2), r_max=1.25, d_max=0.5, off=2.0),
    "renorm_variance": family.batch_renorm((8, 5), variance=True, momentum=0.1),
    "renorm_last": family.batch_renorm((3, 4, 5, 7), channels_last=True, mean=100.0),
    "renorm_plain": family.batch_renorm((3, 4, 5), r_max=1.0, d_max=0.0),
    "renorm_bare_accumulated": family.batch_renorm((6, 4), scale=False, accumulate=True),
    "ghost": family.ghost_batch_norm((8, 3, 4), 4),
    "ghost_short": family.ghost_batch_norm((7, 3, 2, 2), 3),
    "ghost_last": family.ghost_batch_norm((5, 4, 3), 2, channels_last=True, momentum=0.5),
    "ghost_cumulative": family.ghost_batch_norm((10, 5), 4, momentum=None),
    "ghost_one": family.ghost_batch_norm((4, 3, 5), 32, accumulate=True),
    "ghost_mean_1e4": family.ghost_batch_norm((6, 2, 9), 2, mean=1e4, scale=False),
    # In parts.
    "stages": family.stages(3, shape=(7, 3, 5)),
    "stages_micro": family.stages(2, "accumulate", shape=(4, 5, 3, 3), momentum=None),
    "stages_empty_parts": family.stages(5, shape=(3, 4, 6), channels_last=False),
    "stages_last": family.stages(3, shape=(5, 6, 4), channels_last=True, mean=1e4),
    "stages_precise": family.stages(4, "accumulate", shape=(8, 3, 4), momentum=1.0),
    # Into a linear layer, and convolutions.
    "fold_linear": family.fold((5, 7)),
    "fold_convolution": family.fold((4, 3, 3, 3), eps=1e-3),
    "fold_1d_bare": family.fold((6, 2, 5), bias=False, scale=False, shift=False),
}

MAPS = {
    # Convolutions: of odd sizes, 1, 3 and 13 channels, every stride with every padding, dilation, 1 x 1, one image.
    "conv": maps.conv2d((2, 3, 7, 9), 5, padding=1),
    "conv_one_channel": maps.conv2d((1, 1, 9, 7), 4),
    "conv_one_to_one": maps.conv2d((1, 1, 5, 6), 1, padding=1, bias=False),
    "conv_13_channels": maps.conv2d((1, 13, 5, 7), 3, padding=1, bias=False),
    "conv_to_13": maps.conv2d((2, 3, 5, 4), 13, padding=2),
    "conv_stride": maps.conv2d((2, 3, 7, 9), 4, stride=2),
    "conv_stride_padding_1": maps.conv2d((2, 3, 7, 10), 4, stride=2, padding=1, bias=False),
    "conv_stride_padding_2": maps.conv2d((1, 13, 6, 5), 3, stride=2, padding=2),
    "conv_stride_3": maps.conv2d((1, 3, 11, 8), 2, stride=3, padding=1),
    "conv_dilation": maps.conv2d((2, 3, 7, 9), 4, padding=2, dilation=2),
    "conv_dilation_stride": maps.conv2d((1, 3, 9, 11), 5, stride=2, padding=1, dilation=2),
    "conv_dilation_3_stride_2": maps.conv2d((1, 1, 11, 9), 3, stride=2, dilation=3, bias=False),
    "conv_1x1": maps.conv2d((2, 13, 5, 3), 7, kernel=1),
    "conv_1x1_stride": maps.conv2d((2, 3, 7, 5), 8, kernel=1, stride=2, bias=False),
    "conv_1x1_padding": maps.conv2d((1, 3, 4, 5), 3, kernel=1, padding=1),
    "conv_2x2": maps.conv2d((2, 3, 5, 8), 4, kernel=2, stride=2),
    "conv_5x5": maps.conv2d((1, 3, 9, 8), 3, kernel=5, padding=2),
    "conv_7x7_stride": maps.conv2d((1, 3, 13, 11), 2, kernel=7, stride=2, padding=3, bias=False),
    "conv_vectors": maps.conv2d((2, 8, 8, 8), 16, padding=1, bias=False),
    "conv_vectors_stride": maps.conv2d((2, 8, 8, 8), 16, stride=2, padding=1),
    # Pooling.
    "max_pool": maps.max_pool2d((2, 3, 7, 8), 2, 2),
    "max_pool_overlapping": maps.max_pool2d((1, 3, 9, 7), 3, 2, 1),
    "max_pool_ties": maps.max_pool2d((2, 3, 9, 8), 3, 1, 1, ties=True),
    "max_pool_ties_dilation": maps.max_pool2d((1, 3, 11, 9), 3, 2, 1, 2, ties=True),
    "average_pool": maps.average_pool2d((2, 3, 7, 8), 2, 2),
    "average_pool_padding": maps.average_pool2d((2, 3, 7, 9), 3, 2, 1),
    "average_pool_padding_left_out": maps.average_pool2d((2, 3, 7, 9), 3, 2, 1, False),
    "average_pool_overlapping": maps.average_pool2d((1, 13, 5, 6), 3, 1),
    "adaptive_pool": maps.adaptive_average_pool2d((2, 13, 7, 5), (1, 1)),
    "adaptive_pool_bins": maps.adaptive_average_pool2d((2, 3, 7, 10), (3, 4)),
    "adaptive_pool_larger": maps.adaptive_average_pool2d((1, 3, 3, 4), (5, 7)),
}


def write(name, cases):
    """`cases` by name: their tensors, and by mode their words and results."""
    tensors, words = {}, {}
    for case, (given, modes) in cases.items():
        tensors |= {f"{case}/{tensor}": value for tensor, value in given.items()}
        for mode, (line, results) in modes.items():
            words[f"{case}/{mode}"] = " ".join(line)
            tensors |= {f"{case}/{mode}/{tensor}": rounded(value) for tensor, value in results.items()}
    safetensors_file.write(pathlib.Path(__file__).with_name(f"{name}.safetensors"), tensors, words)


def modes_of(case):
    runs = [case.run(training) for training in ((True, False) if case.track else (True,))]
    return {mode: (case.words(mode), results) for run in runs for mode, results in run.items()}


write("batch_norm", {name: (case.tensors, modes_of(case)) for name, case in CASES.items()})
def write_layers(name, layers):
    write(name, {case: (layer.tensors, {mode: (layer.words(mode), results) for mode, results in layer.modes.items()})
                 for case, layer in layers.items()})


write_layers("family", FAMILY)
write_layers("maps", MAPS)
