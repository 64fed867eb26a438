#!/usr/bin/env python3
"""A perceptron of PyTorch's and what it gives: perceptron.safetensors, perceptron_outputs.safetensors.

The first file holds model.state_dict() after some steps of training, laid out as safetensors.torch.save_file does it:
tensors sorted by the size of their elements, then by name, behind a compact header. The other one holds "inputs" [7, 6]
and "probabilities" [7, 3] of model.eval(), computed in float64. Made with PyTorch 1.13.
"""
import pathlib

import torch

import safetensors_file as files


def perceptron():
    """With modules layers.0 to layers.6."""
    model = torch.nn.Module()
    hidden = [layer for inputs, units in ((6, 5), (5, 4))
              for layer in (torch.nn.Linear(inputs, units), torch.nn.BatchNorm1d(units), torch.nn.ReLU())]
    model.layers = torch.nn.Sequential(*hidden, torch.nn.Linear(4, 3))
    model.forward = model.layers.forward
    return model


def main():
    folder = pathlib.Path(__file__).parent
    torch.manual_seed(13)
    model = perceptron()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    for _ in range(60):
        inputs = 3 * torch.randn(32, 6) + 1
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), inputs[:, :3].argmax(1)).backward()
        optimizer.step()
    files.write(folder / "perceptron.safetensors", model.state_dict())
    inputs = 3 * torch.randn(7, 6) + 1
    probabilities = model.double().eval()(inputs.double()).softmax(1)
    files.write(folder / "perceptron_outputs.safetensors",
                {"inputs": inputs, "probabilities": probabilities.detach().float()})


if __name__ == "__main__":
    main()
