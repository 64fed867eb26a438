#!/usr/bin/env python3
"""What PyTorch makes of a checkpoint, and a checkpoint of PyTorch's: checkpoint_torch.py FOLDER

FOLDER has saved.safetensors, a checkpoint of the perceptron in make_state_dict.py under the names of vknorm, and
inputs.safetensors, "inputs" [rows, 6] and "labels" [rows] as float32. Written are, with probabilities of model.eval() in
torch.safetensors: those after load_state_dict ("loaded") and after a step of training ("trained"); and the state_dict
after that step in state_dict.safetensors. Exit status 77: this Python has no torch.
"""
import pathlib
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

import make_state_dict
import safetensors_file as files


def main():
    folder = pathlib.Path(sys.argv[1])
    model = make_state_dict.perceptron()
    modules = {"0.linear": "layers.0", "0.norm": "layers.1", "1.linear": "layers.3", "1.norm": "layers.4", "output": "layers.6"}
    state = {}
    for name, tensor in files.read(folder / "saved.safetensors").items():
        if not name.startswith("training/"):
            module, part = name.rsplit(".", 1)
            state[modules[module] + "." + part] = tensor
    model.load_state_dict(state)
    given = files.read(folder / "inputs.safetensors")
    inputs, labels = given["inputs"], given["labels"].long()
    probabilities = lambda: model.eval()(inputs).softmax(1).detach()
    results = {"loaded": probabilities()}
    model.train()
    torch.nn.functional.cross_entropy(model(inputs), labels).backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    results["trained"] = probabilities()
    files.write(folder / "torch.safetensors", results)
    files.write(folder / "state_dict.safetensors", model.state_dict())


main()
